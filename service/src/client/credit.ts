/** Payload bytes that the other side allows; `take` waits while there are none. */
export class Credit {
  private bytes = 0;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  add(bytes: number): void {
    this.bytes += bytes;
    this.wake?.();
  }

  /** Whoever waits, or comes, gets `error`. */
  fail(error: Error): void {
    this.failure ??= error;
    this.wake?.();
  }

  /** @returns 1 to `wanted` bytes, which are used up now */
  async take(wanted: number): Promise<number> {
    while (this.bytes === 0 && !this.failure)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.failure) throw this.failure;
    const taken = Math.min(wanted, this.bytes);
    this.bytes -= taken;
    return taken;
  }
}
