import type { RawData, WebSocket } from 'ws';
import { PROBLEMS, problemOf, WarpDriveError } from '../../../shared/src/problem.ts';
import { MAX_CREDIT_BYTES, type StreamServerMessage } from '../../../shared/src/stream-protocol.ts';
import type { Operation } from '../../../shared/src/telemetry.ts';
import { CoalescedFlush } from '../codec/coalesced-flush.ts';
import type { CodecStream } from '../codec/codec.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { JobAccount } from '../telemetry/job-account.ts';
import { controlMessage } from './control-message.ts';
import { InputCredit } from './input-credit.ts';
import { OutputQueue } from './output-queue.ts';

const CLOSE_DONE = 1000;
const EXPECTED = {
  compress: 'expected {"type":"flush"}, {"type":"finish"} or {"type":"credit","bytes":N}',
  decompress: 'expected {"type":"finish"} or {"type":"credit","bytes":N}',
} as const;

export interface SessionDeps {
  op: Operation;
  account: JobAccount;
  counters: Counters;
  limits: { maxBuffered: number; maxFrame: number; idleTimeout: number; maxTime: number };
  clock: Clock;
  log: Log;
}

/** Binary frames → codec → binary frames. Input waits by pausing the socket or by credit, output by pausing the codec. */
export class StreamSession {
  private readonly output: OutputQueue;
  private readonly flush: CoalescedFlush;
  private input: InputCredit | undefined;
  private isFirstMessage = true;
  private finishing = false;
  private over = false;
  private cancelDeadline: (() => void) | undefined;

  constructor(
    private readonly ws: WebSocket,
    private readonly stream: CodecStream,
    private readonly deps: SessionDeps,
  ) {
    const { account, clock } = deps;
    const { maxBuffered, idleTimeout: idleMs } = deps.limits;
    const onSent = (bytes: number) => account.gave(bytes);
    const onStall = () =>
      this.fail(new WarpDriveError('WD_E_IDLE', `the client took no output for ${idleMs} ms`, { idleMs }));
    this.output = new OutputQueue(ws, stream, { maxBuffered, idleMs }, clock, onSent, onStall);
    this.flush = new CoalescedFlush(stream, (error) => this.fail(error));
  }

  start(): void {
    const { ws, stream, deps } = this;
    const { maxTime } = deps.limits;
    deps.counters.activeStreams++;
    deps.account.begin();
    if (maxTime > 0) this.cancelDeadline = deps.clock.after(maxTime, () => this.fail(overTime(maxTime)));
    ws.on('message', this.onMessage).on('close', this.onClose).on('error', this.onClose);
    stream.on('drain', () => ws.resume());
    stream.on('data', (chunk: Buffer) => this.output.push(chunk));
    stream.on('end', this.onEnd).on('error', this.fail);
  }

  private readonly onMessage = (data: RawData, isBinary: boolean): void => {
    if (this.over) return;
    const isFirst = this.isFirstMessage;
    this.isFirstMessage = false;
    if (isBinary) this.onPayload(bytesOf(data));
    else this.onControl(String(data), isFirst);
  };

  private onPayload(chunk: Uint8Array): void {
    const { input, stream } = this;
    if (this.finishing) this.refuse('payload came after "finish"');
    else if (input !== undefined && !input.arrived(chunk.length))
      this.fail(new WarpDriveError('WD_E_CREDIT', 'more payload came than was granted'));
    else if (chunk.length > 0) {
      this.deps.account.took(chunk.length);
      // credit bounds what is under way; the socket stays open then, because the client's credit comes through it
      if (input === undefined) {
        if (!stream.write(chunk)) this.ws.pause();
      } else {
        stream.write(chunk, (error) => {
          if (!error && !this.over) input.consumed(chunk.length);
        });
      }
    }
  }

  private onControl(text: string, isFirst: boolean): void {
    const message = controlMessage(text);
    switch (message?.type) {
      case 'credit':
        this.onCredit(message.bytes, isFirst);
        return;
      case 'flush':
        if (this.deps.op === 'decompress' || this.finishing) this.refuse(EXPECTED[this.deps.op]);
        else this.flush.request();
        return;
      case 'finish':
        this.onFinish();
        return;
      default:
        this.refuse(EXPECTED[this.deps.op]);
    }
  }

  private onFinish(): void {
    if (this.finishing) {
      this.refuse('"finish" came twice');
      return;
    }
    this.finishing = true;
    this.stream.end();
    this.ws.resume(); // no `drain` follows an end, and the peer's close frame must be read
  }

  private onCredit(bytes: number, isFirst: boolean): void {
    const { maxFrame } = this.deps.limits;
    if (!isFirst && this.input === undefined) this.refuse('credit must be the first message');
    else if (this.output.grant(bytes) > MAX_CREDIT_BYTES)
      this.refuse(`over ${MAX_CREDIT_BYTES} bytes of credit`);
    else if (this.input === undefined) {
      this.input = new InputCredit(maxFrame, (more) => this.tell({ type: 'credit', bytes: more }));
      this.input.open();
    }
  }

  private readonly onEnd = (): void => {
    if (this.over) return;
    const { account } = this.deps;
    const result = this.stream.result();
    this.release();
    account.done(result);
    this.tell({ ...result, type: 'done', crc32: result.crc32 >>> 0, job: account.id });
    this.ws.close(CLOSE_DONE);
  };

  private refuse(message: string): void {
    this.fail(new WarpDriveError('WD_E_PARAMETER', message));
  }

  private readonly fail = (error: unknown): void => {
    if (this.over) return;
    const { account, log } = this.deps;
    const problem = problemOf(error, account.requestId);
    this.release();
    account.failed(error);
    if (problem.code === 'WD_E_INTERNAL')
      log.error({ ...account.names(), err: error }, 'WebSocket stream failed');
    else log.debug({ ...account.names(), code: problem.code }, 'WebSocket stream refused');
    this.ws.resume();
    this.tell({ type: 'error', problem });
    this.ws.close(PROBLEMS[problem.code].wsClose, problem.code);
  };

  private readonly onClose = (): void => {
    if (this.over) return;
    const { account, log } = this.deps;
    this.release();
    account.aborted();
    const { bytesIn, bytesOut } = account;
    log.info({ ...account.names(), bytesIn, bytesOut }, 'WebSocket client left');
  };

  private tell(message: StreamServerMessage): void {
    this.ws.send(JSON.stringify(message));
  }

  private release(): void {
    this.over = true;
    this.cancelDeadline?.();
    this.output.stop();
    this.deps.counters.activeStreams--;
    this.stream.destroy();
  }
}

function overTime(limitMs: number): WarpDriveError {
  return new WarpDriveError('WD_E_LIMIT_TIME', `the stream took longer than ${limitMs} ms`, {
    limitMs,
    measured: 'time',
  });
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
