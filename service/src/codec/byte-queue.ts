import { copyBytes } from '../platform/copy-bytes.ts';

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
    if (this.chunks.length === 0) this.chunks = [chunk];
    else this.chunks.push(chunk);
    this.total += chunk.length;
  }

  /** Copies the first bytes, at most `limit`, to the start of `target` and leaves them queued. @returns bytes copied */
  peekInto(target: Uint8Array, limit = target.length): number {
    let copied = 0;
    let offset = this.offset;
    for (const chunk of this.chunks) {
      if (copied === limit) break;
      const isAll = offset === 0 && chunk.length <= limit - copied;
      const piece = isAll ? chunk : chunk.subarray(offset, offset + limit - copied);
      copyBytes(target, copied, piece);
      copied += piece.length;
      offset = 0;
    }
    return copied;
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
    if (whole === this.chunks.length) this.chunks = [];
    else if (whole > 0) this.chunks.splice(0, whole);
  }

  /** Removes the first bytes. @returns them, as views of the chunks that they came in */
  take(bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let left = bytes;
    let offset = this.offset;
    for (const chunk of this.chunks) {
      if (left === 0) break;
      const view = chunk.subarray(offset, offset + left);
      taken.push(view);
      left -= view.length;
      offset = 0;
    }
    this.drop(bytes);
    return taken;
  }

  /** Puts chunks before all others. */
  putBack(chunks: readonly Uint8Array[]): void {
    const rest = this.take(this.total);
    this.clear();
    for (const chunk of [...chunks, ...rest]) this.push(chunk);
  }

  clear(): void {
    this.chunks = [];
    this.offset = 0;
    this.total = 0;
  }
}
