import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { STREAM_PROTOCOL } from '../../../shared/src/telemetry.ts';
import type { Codec, CodecStream } from '../codec/codec.ts';
import { parseWithOperation, type StreamParameters } from '../config/stream-parameters.ts';
import { requestId } from '../ops/request-id.ts';
import type { StreamSlots } from '../ops/stream-slots.ts';
import { traceParent } from '../ops/trace-parent.ts';
import type { Log } from '../platform/log.ts';
import { JobAccount, type JobAccountDeps } from '../telemetry/job-account.ts';
import { Heartbeat } from './heartbeat.ts';
import { answerPings } from './pongs.ts';
import { type SessionDeps, StreamSession } from './stream-session.ts';
import { FrameUnmasker } from './unmask.ts';
import { type RefuseUpgrade, refuseBadHandshakes, type SocketRoute } from './upgrade.ts';

/** Fragments of one message, and pieces of it that wait to be parsed: small ones cost memory beyond their bytes. */
const MAX_FRAGMENTS = 1024;
const MAX_BUFFERED_CHUNKS = 4096;

export interface StreamDeps extends JobAccountDeps {
  codec: Codec;
  slots: StreamSlots;
  log: Log;
  refuse: RefuseUpgrade;
  limits: SessionDeps['limits'] & {
    maxInput: number;
    maxOutput: number;
    maxRatio: number;
    pingTimeout: number;
  };
}

/** /v1/stream: one operation a connection, its parameters in the URL, payload in binary frames both ways. */
export class StreamRoute implements SocketRoute {
  readonly protocol = STREAM_PROTOCOL;
  private readonly server: WebSocketServer;
  private readonly heartbeat: Heartbeat;
  private readonly sessions = new Set<WebSocket>();

  constructor(private readonly deps: StreamDeps) {
    this.heartbeat = new Heartbeat(deps.clock, deps.limits.pingTimeout);
    this.server = new WebSocketServer({
      noServer: true,
      maxPayload: deps.limits.maxFrame,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      perMessageDeflate: false,
      autoPong: false,
      handleProtocols: () => STREAM_PROTOCOL,
    });
    refuseBadHandshakes(this.server, deps.refuse);
  }

  accept(req: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
    const parameters = parseWithOperation(url.searchParams);
    const release = this.deps.slots.acquire(req.socket.remoteAddress);
    socket.once('close', release);
    const stream = this.openCodec(parameters);
    socket.once('close', () => stream.destroy()); // also if the handshake fails
    this.server.handleUpgrade(req, socket, head, (ws) => {
      FrameUnmasker.listen(socket);
      this.open(ws, req, stream, parameters);
    });
  }

  close(code: number, reason: string): void {
    for (const ws of this.sessions) ws.close(code, reason);
  }

  terminate(): void {
    for (const ws of this.sessions) ws.terminate();
  }

  private open(ws: WebSocket, req: IncomingMessage, stream: CodecStream, parameters: StreamParameters): void {
    const { counters, clock, log, limits } = this.deps;
    const { op } = parameters;
    counters.webSocketOpened(ws);
    this.sessions.add(ws);
    ws.on('close', (code) => {
      this.sessions.delete(ws);
      counters.webSocketClosed(ws, code);
    });
    answerPings(ws, clock, limits.maxBuffered);
    this.heartbeat.watch(ws);
    const account = this.accountOf(req, parameters);
    new StreamSession(ws, stream, { op, account, counters, limits, clock, log }).start();
  }

  private accountOf({ headers, method = '' }: IncomingMessage, parameters: StreamParameters): JobAccount {
    const { counters } = this.deps;
    const { op, format } = parameters;
    const subject = {
      op,
      format,
      ...(parameters.op === 'compress' ? { level: parameters.level } : {}),
      route: counters.route('/v1/stream'),
      jobs: counters.job(op, format),
    };
    const account = new JobAccount(this.deps, subject, method);
    account.requestId = requestId(headers['x-request-id'], account.id);
    account.trace = traceParent(headers['traceparent']);
    return account;
  }

  private openCodec(parameters: StreamParameters): CodecStream {
    const { codec, limits } = this.deps;
    const maxInputBytes = limits.maxInput;
    if (parameters.op === 'compress') {
      const { format, level } = parameters;
      return codec.compressStream({ format, level, owner: 'websocket', maxInputBytes });
    }
    const { maxOutput: maxOutputBytes, maxRatio } = limits;
    return codec.decompressStream({ format: parameters.format, maxInputBytes, maxOutputBytes, maxRatio });
  }
}
