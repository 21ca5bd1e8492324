import { type Clock, systemClock } from '../platform/clock.ts';

/** Bulk work in one turn of the event loop, before other sockets get theirs. */
const TURN_US = 500;

/**
 * Who may hold the event loop's thread, and for how long. The pieces of decompressed streams run here: at once while
 * the turn has time left and nobody waits, else in a later turn, in order of arrival. A stream asks for its next piece
 * when it has the one before, so streams take turns. Small requests do not ask: they never wait behind these pieces for
 * longer than one turn and the piece that overran it. Compression does not ask either: its large jobs are threads' work,
 * and where thread and event loop share a CPU, the time that the thread takes would count as a turn's.
 */
export class FairTurns {
  private spentUs = 0;
  private readonly waiting: (() => void)[] = [];
  private isTurnOpen = false;

  constructor(
    private readonly clock: Clock = systemClock,
    private readonly turnUs: number = TURN_US,
  ) {}

  /**
   * @param work one piece, done when it returns
   * @returns what it returns; a promise if it has to wait
   */
  run<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.waiting.length === 0 && this.spentUs < this.turnUs) return this.timed(work);
    return new Promise<T>((resolve, reject) => {
      this.waiting.push(() => {
        try {
          resolve(this.timed(work));
        } catch (error) {
          reject(error as Error);
        }
      });
      this.openTurn();
    });
  }

  private timed<T>(work: () => T): T {
    this.openTurn();
    const startUs = this.clock.monotonicUs();
    try {
      return work();
    } finally {
      this.spentUs += this.clock.monotonicUs() - startUs;
    }
  }

  /** The next turn begins behind the sockets that are ready now. */
  private openTurn(): void {
    if (this.isTurnOpen) return;
    this.isTurnOpen = true;
    setImmediate(this.next);
  }

  private readonly next = (): void => {
    this.isTurnOpen = false;
    this.spentUs = 0;
    while (this.spentUs < this.turnUs) {
      const first = this.waiting.shift();
      if (!first) return;
      first();
    }
    this.openTurn();
  };
}
