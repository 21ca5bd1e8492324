/**
 * Delays the release of memory until no engine core works for a stopped queue: a core that was told too late must
 * not write into frames that have a new owner. What a core still does to frames that wait here is lost with them.
 */
export class DeferredRelease {
  /** @param drain promise for the end of the cores' work for stopped queues; undefined = there is none */
  constructor(private readonly drain: () => Promise<void> | undefined) {}

  /** Resolves when all that drains now has ended; undefined = nothing drains. */
  pending(): Promise<void> | undefined {
    return this.drain();
  }

  /** Runs `release` now if nothing drains, else when all that drains now has ended. @returns whether it ran */
  run(release: () => void): boolean {
    const drained = this.drain();
    if (!drained) {
      release();
      return true;
    }
    void drained.then(release);
    return false;
  }
}
