import type { Duplex } from 'node:stream';

interface Flushable extends Duplex {
  flush(callback: (error?: Error | null) => void): void;
}

/** One flush of a stream at a time; requests that come meanwhile share the next, so that they cannot pile up. */
export class CoalescedFlush {
  private state: 'idle' | 'running' | 'again' = 'idle';
  constructor(
    private readonly stream: Flushable,
    private readonly onError: (error: Error) => void,
  ) {}

  request(): void {
    if (this.state !== 'idle') {
      this.state = 'again';
      return;
    }
    this.state = 'running';
    this.stream.flush((error) => {
      const isAgain = this.state === 'again';
      this.state = 'idle';
      if (error) this.onError(error);
      else if (isAgain && !this.stream.writableEnded && !this.stream.destroyed) this.request();
    });
  }
}
