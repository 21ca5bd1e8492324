import type { Clock } from '../../src/platform/clock.ts';

/** A clock that a test advances by hand; timers fire in order of their time, each at its own time. */
export class FakeClock implements Clock {
  private nowMs = 0;
  private readonly timers = new Set<{ atMs: number; callback: () => void }>();

  get pendingTimers(): number {
    return this.timers.size;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.nowMs;
  }

  monotonicUs(): number {
    return this.nowMs * 1000;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  advance(ms: number): void {
    const target = this.nowMs + ms;
    for (;;) {
      const [next] = [...this.timers].filter(({ atMs }) => atMs <= target).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    this.nowMs = target;
  }
}
