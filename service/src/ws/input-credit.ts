/**
 * Payload that a client may send: the window, less what it sent, plus what the codec took. Grants a quarter of the
 * window at a time, or all that was taken when nothing else is under way, so that neither side waits for the other.
 */
export class InputCredit {
  /** What the client was granted and did not send. */
  private outstanding = 0;
  /** What the codec took and was not granted again. */
  private taken = 0;

  constructor(
    private readonly windowBytes: number,
    private readonly grant: (bytes: number) => void,
  ) {}

  open(): void {
    this.outstanding = this.windowBytes;
    this.grant(this.windowBytes);
  }

  /** Payload arrived. @returns false if it was more than was granted */
  arrived(bytes: number): boolean {
    this.outstanding -= bytes;
    return this.outstanding >= 0;
  }

  consumed(bytes: number): void {
    this.taken += bytes;
    const isAllTaken = this.outstanding + this.taken === this.windowBytes;
    if (!isAllTaken && this.taken < this.windowBytes / 4) return;
    const { taken } = this;
    this.outstanding += taken;
    this.taken = 0;
    this.grant(taken);
  }
}
