/**
 * Copies all of `source` to `start` of `target`, either of which may be shared memory. By `fill` with a value of just that
 * length, because that is one memcpy, while `set` goes through shared memory word by word, and byte by byte where source and
 * target lie at different places of a word: 147 µs for 512 KiB instead of 12.
 */
export function copyBytes(target: Uint8Array, start: number, source: Uint8Array): void {
  const end = start + source.length;
  if (end > target.length) throw new RangeError(`${source.length} bytes to ${start} of ${target.length}`);
  if (source.length > 0) fill.call(target, source, start, end);
}

const { fill } = Buffer.prototype as unknown as {
  fill(this: Uint8Array, value: Uint8Array, start: number, end: number): void;
};

/** Ordinary memory with the bytes of `source`. */
export function copyOf(source: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafe(source.length);
  copyBytes(copy, 0, source);
  return copy;
}
