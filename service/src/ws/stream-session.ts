import type { RawData, WebSocket } from 'ws';
import { PROBLEMS, type ProblemCode, problemOf, WarpDriveError } from '../../../shared/src/problem.ts';
import type { Operation } from '../../../shared/src/telemetry.ts';
import type { CodecStream } from '../codec/codec.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type Counters, type JobCounters, type Outcome, outcomeOf } from '../telemetry/counters.ts';

/** Output that may wait in the socket before the codec is paused, and how much must go before it runs on. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const RESUME_BUFFERED_BYTES = MAX_BUFFERED_BYTES / 2;
const CLOSE_DONE = 1000;
const US_PER_S = 1e6;

interface SessionDeps {
  op: Operation;
  counters: Counters;
  jobs: JobCounters;
  clock: Clock;
  log: Log;
}

/** Binary frames → codec → binary frames. Input waits by pausing the socket, output by pausing the codec. */
export class StreamSession {
  private readonly startedUs: number;
  private bytesIn = 0;
  private bytesOut = 0;
  private finishing = false;
  private over = false;

  constructor(
    private readonly ws: WebSocket,
    private readonly stream: CodecStream,
    private readonly deps: SessionDeps,
  ) {
    this.startedUs = deps.clock.monotonicUs();
  }

  start(): void {
    const { ws, stream } = this;
    this.deps.counters.activeStreams++;
    ws.on('message', this.onMessage).on('close', this.onClose).on('error', this.onClose);
    stream.on('drain', () => ws.resume());
    stream.on('data', this.onOutput).on('end', this.onEnd).on('error', this.fail);
  }

  private readonly onMessage = (data: RawData, isBinary: boolean): void => {
    if (this.over) return;
    if (this.finishing) this.refuse('a message came after "finish"');
    else if (isBinary) this.onPayload(bytesOf(data));
    else this.onControl(String(data));
  };

  private onPayload(chunk: Uint8Array): void {
    this.bytesIn += chunk.length;
    this.deps.jobs.bytesIn += chunk.length;
    if (chunk.length > 0 && !this.stream.write(chunk)) this.ws.pause();
  }

  private onControl(text: string): void {
    const type = typeOf(text);
    if (type === 'finish') {
      this.finishing = true;
      this.stream.end();
      this.ws.resume(); // no `drain` follows an end, and the peer's close frame must be read
    } else if (type === 'flush' && this.deps.op === 'compress') {
      this.stream.flush((error) => {
        if (error) this.fail(error);
      });
    } else {
      this.refuse('expected {"type":"finish"}, or {"type":"flush"} while compressing');
    }
  }

  private readonly onOutput = (chunk: Buffer): void => {
    const { ws, stream } = this;
    this.bytesOut += chunk.length;
    this.deps.jobs.bytesOut += chunk.length;
    ws.send(chunk, { binary: true }, () => {
      if (stream.isPaused() && ws.bufferedAmount <= RESUME_BUFFERED_BYTES) stream.resume();
    });
    if (ws.bufferedAmount > MAX_BUFFERED_BYTES) stream.pause();
  };

  private readonly onEnd = (): void => {
    if (this.over) return;
    const { bytesIn, bytesOut, crc32, core, fallbackReason } = this.stream.result();
    if (fallbackReason !== undefined) this.deps.counters.fellBack(fallbackReason);
    this.release('ok', 200);
    this.ws.send(JSON.stringify({ type: 'done', bytesIn, bytesOut, crc32: crc32 >>> 0, core }));
    this.ws.close(CLOSE_DONE);
  };

  private refuse(message: string): void {
    this.fail(new WarpDriveError('WD_E_PARAMETER', message));
  }

  private readonly fail = (error: unknown): void => {
    if (this.over) return;
    const problem = problemOf(error);
    this.release(outcomeOf(problem.status), problem.status);
    if (problem.code === 'WD_E_INTERNAL') this.deps.log.error({ err: error }, 'WebSocket stream failed');
    this.ws.resume();
    this.ws.send(JSON.stringify({ type: 'error', problem }));
    this.ws.close(closeCodeOf(problem.code), problem.code);
  };

  private readonly onClose = (): void => {
    if (this.over) return;
    this.release('aborted', 499);
    const { bytesIn, bytesOut } = this;
    this.deps.log.info({ bytesIn, bytesOut }, 'WebSocket client left');
  };

  private release(outcome: Outcome, status: number): void {
    this.over = true;
    const { counters, jobs, clock } = this.deps;
    const seconds = (clock.monotonicUs() - this.startedUs) / US_PER_S;
    counters.activeStreams--;
    counters.route('/v1/stream').ended('GET', status, seconds);
    jobs.ended(outcome, seconds);
    this.stream.destroy();
  }
}

const closeCodeOf = (code: ProblemCode): number => PROBLEMS[code].wsClose;

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function typeOf(text: string): unknown {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
  } catch {
    return undefined;
  }
}
