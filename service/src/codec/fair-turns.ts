/** Bytes worked on in one turn of the event loop, some milliseconds, before other sockets get theirs. */
const TURN_BYTES = 1024 * 1024;

/**
 * Small jobs are done where they are asked for, and a reader that keeps up lets one follow the other without a look at
 * any other socket. This is the look.
 */
export class FairTurns {
  private worked = 0;
  private next: Promise<void> | undefined;

  constructor(private readonly turnBytes: number = TURN_BYTES) {}

  did(bytes: number): void {
    this.worked += bytes;
  }

  /** Undefined while this turn has time left; else resolves in the next one. */
  turn(): Promise<void> | undefined {
    if (this.worked < this.turnBytes) return undefined;
    this.next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.worked = 0;
        this.next = undefined;
        resolve();
      });
    });
    return this.next;
  }
}
