/** Chunks in order of arrival, consumed from the front at any length. */
export class ByteQueue {
  private chunks: Uint8Array[] = [];
  private offset = 0;
  private total = 0;

  get length(): number {
    return this.total;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.total += chunk.length;
  }

  /** Copies the first bytes into `target` and leaves them queued. @returns bytes copied */
  peekInto(target: Uint8Array): number {
    let at = 0;
    let offset = this.offset;
    for (const chunk of this.chunks) {
      if (at === target.length) break;
      const piece = chunk.subarray(offset, offset + target.length - at);
      target.set(piece, at);
      at += piece.length;
      offset = 0;
    }
    return at;
  }

  /** The first bytes as one array; fewer if there are fewer. */
  peek(bytes: number): Uint8Array {
    const target = new Uint8Array(Math.min(bytes, this.total));
    this.peekInto(target);
    return target;
  }

  drop(bytes: number): void {
    this.total -= bytes;
    let left = bytes;
    let whole = 0;
    for (const chunk of this.chunks) {
      const available = chunk.length - this.offset;
      if (left < available) {
        this.offset += left;
        break;
      }
      left -= available;
      this.offset = 0;
      whole++;
    }
    if (whole > 0) this.chunks.splice(0, whole);
  }

  clear(): void {
    this.chunks = [];
    this.offset = 0;
    this.total = 0;
  }
}
