import { Transform } from 'node:stream';
import type { Clock } from '../platform/clock.ts';
import { bytesText } from './text.ts';

const REDRAW_MS = 100;
const BAR_CELLS = 24;
const US_PER_S = 1e6;
const ERASE_LINE = '\r\u001b[2K';

/** Passes bytes through and draws how many went by; on a terminal only. */
export class Progress extends Transform {
  private readonly startedUs: number;
  private bytes = 0;
  private stopTimer: () => void = () => {};

  /** `totalBytes` is undefined for a pipe; `terminal` is undefined if nothing is to be drawn. */
  constructor(
    private readonly name: string,
    private readonly totalBytes: number | undefined,
    private readonly terminal: NodeJS.WriteStream | undefined,
    private readonly clock: Clock,
  ) {
    super();
    this.startedUs = clock.monotonicUs();
    if (terminal !== undefined) this.tick();
  }

  get seconds(): number {
    return (this.clock.monotonicUs() - this.startedUs) / US_PER_S;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.bytes += chunk.length;
    done(null, chunk);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.stopTimer();
    this.terminal?.write(ERASE_LINE);
    done(error);
  }

  private tick(): void {
    this.stopTimer = this.clock.after(REDRAW_MS, () => {
      this.terminal?.write(ERASE_LINE + this.line());
      this.tick();
    });
  }

  private line(): string {
    const rate = `${bytesText(this.bytes)}  ${bytesText(Math.round(this.bytes / this.seconds))}/s`;
    if (!this.totalBytes) return `${this.name}  ${rate}`;
    const share = Math.min(1, this.bytes / this.totalBytes);
    const full = Math.round(share * BAR_CELLS);
    const bar = '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
    return `${this.name}  ${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${rate}`;
  }
}
