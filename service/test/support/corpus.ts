/** A small seeded generator (mulberry32), so that every run and every machine sees the same bytes. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** JSON lines: what a service compresses all day. */
export function jsonLines(bytes: number, seed = 1): Buffer {
  const random = randomFrom(seed);
  const words = ['queue', 'doorbell', 'iommu', 'stall', 'fault', 'engine', 'phase', 'ring', 'page', 'slot'];
  const lines: string[] = [];
  for (let length = 0; length < bytes; ) {
    const word = words[Math.floor(random() * words.length)];
    const line = `{"id":${Math.floor(random() * 1e6)},"event":"${word}","value":${random().toFixed(4)}}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

/** Bytes that DEFLATE cannot shrink. */
export function noise(bytes: number, seed = 2): Buffer {
  const random = randomFrom(seed);
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = random() * 2 ** 32;
  return Buffer.from(words.buffer, 0, bytes);
}

/** Text, noise and runs in turn, so that blocks of every kind meet. */
export function mixed(bytes: number, seed = 3): Buffer {
  const random = randomFrom(seed);
  const parts: Buffer[] = [];
  for (let length = 0; length < bytes; ) {
    const size = 1 + Math.floor(random() * 30_000);
    const kind = Math.floor(random() * 3);
    const part =
      kind === 0
        ? jsonLines(size, length)
        : kind === 1
          ? noise(size, length)
          : Buffer.alloc(size, length & 255);
    parts.push(part);
    length += size;
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

/** `data` in pieces of `size` bytes. */
export function cut(data: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += size) pieces.push(data.subarray(at, at + size));
  return pieces;
}

/** `data` in pieces of random lengths, most of them short. */
export function cutAtRandom(data: Uint8Array, random: () => number, longest: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < data.length; ) {
    const size = 1 + Math.floor(random() ** 3 * longest);
    pieces.push(data.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
