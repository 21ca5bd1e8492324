import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { STREAM_PROTOCOL } from '../../../shared/src/telemetry.ts';
import type { Codec, CodecStream } from '../codec/codec.ts';
import { parseWithOperation, type StreamParameters } from '../config/stream-parameters.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Counters } from '../telemetry/counters.ts';
import { Heartbeat } from './heartbeat.ts';
import { StreamSession } from './stream-session.ts';
import type { SocketRoute } from './upgrade.ts';

const MAX_PAYLOAD_BYTES = 1024 * 1024;
const MAX_SESSIONS = 4096;

export interface StreamDeps {
  codec: Codec;
  counters: Counters;
  clock: Clock;
  log: Log;
  limits: { maxInput: number; maxOutput: number; maxRatio: number };
}

/** /v1/stream: one operation a connection, its parameters in the URL, payload in binary frames both ways. */
export class StreamRoute implements SocketRoute {
  readonly protocol = STREAM_PROTOCOL;
  private readonly server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => STREAM_PROTOCOL,
  });
  private readonly heartbeat: Heartbeat;
  private readonly sessions = new Set<WebSocket>();

  constructor(private readonly deps: StreamDeps) {
    this.heartbeat = new Heartbeat(deps.clock);
  }

  accept(req: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
    const parameters = parseWithOperation(url.searchParams);
    if (this.sessions.size >= MAX_SESSIONS)
      throw new WarpDriveError('WD_E_NO_QUEUE', `${MAX_SESSIONS} WebSocket streams are open`);
    const stream = this.openCodec(parameters);
    this.server.handleUpgrade(req, socket, head, (ws) => this.open(ws, stream, parameters));
    socket.once('close', () => stream.destroy()); // also if the handshake fails
  }

  close(code: number, reason: string): void {
    for (const ws of this.sessions) ws.close(code, reason);
  }

  terminate(): void {
    for (const ws of this.sessions) ws.terminate();
  }

  private open(ws: WebSocket, stream: CodecStream, { op, format }: StreamParameters): void {
    const { counters, clock, log } = this.deps;
    counters.webSockets.sessions++;
    this.sessions.add(ws);
    ws.on('close', (code) => {
      this.sessions.delete(ws);
      counters.webSocketClosed(code);
    });
    this.heartbeat.watch(ws);
    new StreamSession(ws, stream, { op, counters, jobs: counters.job(op, format), clock, log }).start();
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
