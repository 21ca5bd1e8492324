/**
 * The output of a deflate job. Nobody writes without having asked `hasRoom` for the exact number of bits, so the
 * destination's end is checked once per block and not once per code.
 */
export let output: usize = 0;
export let outputEnd: usize = 0;
/** Fewer than eight bits that do not make a byte yet, between two calls. */
export let bits: u64 = 0;
export let bitCount: u32 = 0;

export function openOutput(start: usize, bytes: u32): void {
  output = start;
  outputEnd = start + bytes;
  bits = 0;
  bitCount = 0;
}

export function setWriter(at: usize, newBits: u64, newCount: u32): void {
  output = at;
  bits = newBits;
  bitCount = newCount;
}

export function hasRoom(moreBits: u64): bool {
  return (moreBits + (bitCount as u64) + 7) >> 3 <= ((outputEnd - output) as u64);
}

/** Appends at most 32 bits. */
export function putBits(value: u32, count: u32): void {
  bits |= (value as u64) << (bitCount as u64);
  bitCount += count;
  if (output + 8 <= outputEnd) {
    store<u64>(output, bits);
    output += bitCount >> 3;
    bits >>= (bitCount & 56) as u64;
    bitCount &= 7;
    return;
  }
  while (bitCount >= 8) {
    store<u8>(output++, bits as u8);
    bits >>= 8;
    bitCount -= 8;
  }
}

export function alignToByte(): void {
  if (bitCount > 0) putBits(0, 8 - bitCount);
}

export function putBytes(from: usize, bytes: u32): void {
  memory.copy(output, from, bytes);
  output += bytes;
}
