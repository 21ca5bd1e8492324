/** CRC-32 polynomial of RFC 1952, bit-reversed. */
const POLYNOMIAL = 0xedb88320;
const ADLER_MODULUS = 65521;

/** a × b modulo the CRC polynomial; bit 31 is x^0. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 0x8000_0000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}

/** x^(2^n) for n = 0 … 31. */
const POWERS = (() => {
  const powers: number[] = [0x4000_0000];
  for (let n = 1; n < 32; n++) {
    const last = powers[n - 1] ?? 0;
    powers.push(multiply(last, last));
  }
  return powers;
})();

/** x^(8 × bytes). */
function shiftBytes(bytes: number): number {
  let result = 0x8000_0000;
  let n = 3;
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(POWERS[n % 32] ?? 0, result);
    n++;
  }
  return result;
}

/** CRC-32 of A followed by B. @param bytesB length of B */
export function combineCrc32(crcA: number, crcB: number, bytesB: number): number {
  return (multiply(shiftBytes(bytesB), crcA) ^ crcB) >>> 0;
}

/** Adler-32 of A followed by B. @param bytesB length of B */
export function combineAdler32(adlerA: number, adlerB: number, bytesB: number): number {
  const lowA = adlerA & 0xffff;
  const low = (lowA + (adlerB & 0xffff) + ADLER_MODULUS - 1) % ADLER_MODULUS;
  const high =
    ((bytesB % ADLER_MODULUS) * (lowA + ADLER_MODULUS - 1) + (adlerA >>> 16) + (adlerB >>> 16)) %
    ADLER_MODULUS;
  return ((high << 16) | low) >>> 0;
}
