const MODULUS = 65521;
/** Largest count of bytes whose sums stay below 2^32 (RFC 1950 section 9). */
const BYTES_PER_REDUCTION = 5552;

/** Adler-32 of RFC 1950. @param seed the checksum so far; 1 for a new one @returns unsigned 32 bits */
export function adler32(bytes: Uint8Array, seed = 1): number {
  let a = seed & 0xffff;
  let b = seed >>> 16;
  for (let start = 0; start < bytes.length; start += BYTES_PER_REDUCTION) {
    const end = Math.min(start + BYTES_PER_REDUCTION, bytes.length);
    for (let i = start; i < end; i++) {
      a += bytes[i] ?? 0;
      b += a;
    }
    a %= MODULUS;
    b %= MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}
