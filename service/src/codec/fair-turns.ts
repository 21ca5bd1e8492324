/** Bytes worked on in one turn of the event loop, some milliseconds, before other sockets get theirs. */
const TURN_BYTES = 1024 * 1024;

interface Waiting {
  bytes: number;
  resolve: () => void;
}

/**
 * Small jobs are done where they are asked for, and a reader that keeps up lets one follow the other without a look at
 * any other socket. This is the look. Who has to wait is let in by order of arrival, as many as a turn has room for: a
 * hundred streams that all wait for the next turn must not all be worked on in it.
 */
export class FairTurns {
  private worked = 0;
  private readonly waiting: Waiting[] = [];

  constructor(private readonly turnBytes: number = TURN_BYTES) {}

  /**
   * Takes a share of a turn: undefined while this one has room and nobody waits; else resolves in a later one.
   * @param bytes of work at most; what is not done of it is given back
   */
  take(bytes: number): Promise<void> | undefined {
    if (this.worked < this.turnBytes && this.waiting.length === 0) {
      this.worked += bytes;
      return undefined;
    }
    return new Promise((resolve) => {
      if (this.waiting.push({ bytes, resolve }) === 1) setImmediate(this.next);
    });
  }

  /** Of what was taken, bytes that turned out not to be worked on. */
  giveBack(bytes: number): void {
    this.worked = Math.max(0, this.worked - bytes);
  }

  private readonly next = (): void => {
    this.worked = 0;
    while (this.worked < this.turnBytes) {
      const first = this.waiting.shift();
      if (!first) return;
      this.worked += first.bytes;
      first.resolve();
    }
    if (this.waiting.length > 0) setImmediate(this.next);
  };
}
