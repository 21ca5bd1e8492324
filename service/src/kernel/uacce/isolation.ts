import type { Clock } from '../../platform/clock.ts';
import { kernelError } from '../errno.ts';

/** Errors count for one hour (Linux drivers/crypto/hisilicon/qm.c, qm_hw_err_isolate). */
const WINDOW_MS = 3600 * 1000;
const MAX_THRESHOLD = 65_535;

/**
 * The device isolation strategy (sources.md 5.11): as many hardware errors within an hour as the strategy allows
 * take the device out; 0 = never.
 */
export class IsolationStrategy {
  private threshold = 0;
  private isolated = false;
  private errorsAtMs: number[] = [];

  constructor(
    private readonly clock: Clock,
    /** A virtual function's strategy belongs to its physical function. */
    private readonly isVirtualFunction = false,
  ) {}

  get isIsolated(): boolean {
    return this.isolated;
  }

  get strategy(): number {
    return this.threshold;
  }

  /** Errors within the window. */
  get errors(): number {
    this.dropOld();
    return this.errorsAtMs.length;
  }

  /**
   * What a write to `isolate_strategy` does; it forgets the errors so far.
   * @throws WD_E_EINVAL not a number from 0 to 65535; WD_E_EPERM on a VF or once isolated
   */
  setStrategy(text: string): void {
    const value = /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= MAX_THRESHOLD))
      throw kernelError('EINVAL', `isolate_strategy "${text.trim()}" is not from 0 to ${MAX_THRESHOLD}`, {
        field: 'isolate_strategy',
      });
    if (this.isVirtualFunction) throw kernelError('EPERM', 'the strategy of a VF is set on its PF');
    if (this.isolated) throw kernelError('EPERM', 'the device is isolated: reload its driver first');
    this.threshold = value;
    this.errorsAtMs = [];
  }

  /** Counts one hardware error. @returns whether the device is isolated now */
  recordError(): boolean {
    this.errorsAtMs.push(this.clock.wallMs());
    this.dropOld();
    if (this.threshold > 0 && this.errorsAtMs.length >= this.threshold) this.isolated = true;
    return this.isolated;
  }

  /** A failed reset isolates whatever the strategy says. */
  isolate(): void {
    this.isolated = true;
  }

  /** Reload of the driver: the device is back, its errors are forgotten, the strategy stays. */
  reload(): void {
    this.isolated = false;
    this.errorsAtMs = [];
  }

  private dropOld(): void {
    const oldest = this.clock.wallMs() - WINDOW_MS;
    this.errorsAtMs = this.errorsAtMs.filter((atMs) => atMs > oldest);
  }
}
