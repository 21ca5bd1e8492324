/** CRC-32 (RFC 1952 section 8) and Adler-32 (RFC 1950 section 9). */
import { CRC_TABLES, CRC_WORK, scratch } from './layout';

/** The CRC-32 polynomial, bit-reflected. */
const CRC_POLYNOMIAL: u32 = 0xedb88320;
const ADLER_BASE: u32 = 65521;
/** Largest multiple of 16 bytes after which the 32-bit sums of Adler-32 cannot have overflowed (RFC 1950). */
const ADLER_RUN: u32 = 5552;

/**
 * CRC-32 without multiplication: the polynomial divides x^(8·852) + x^(8·317) + x^(8·108) + x^(8·56) + 1 (found by
 * search), so a byte may be taken out of a message by adding it (XOR) to the bytes 535, 744, 796 and 852 places later.
 * Done from front to back, that leaves the last 852 bytes to the tables. The idea is Chorba's (Russell, "Chorba: A
 * novel CRC32 implementation", 2024); the sparse multiple is ours, with no step so short that the loads would meet
 * stores that are still on their way to the cache.
 */
const STEP_1: usize = 535;
const STEP_2: usize = 744;
const STEP_3: usize = 796;
const STEP_4: usize = 852;
const SEGMENT: usize = 8192;
/** Below this the tables alone are as fast. */
const LONG: u32 = 3072;

export function initChecksum(): void {
  const tables = scratch + CRC_TABLES;
  for (let byte: u32 = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >> 1) ^ (value & 1 ? CRC_POLYNOMIAL : 0);
    store<u32>(tables + byte * 4, value);
  }
  for (let slice: u32 = 1; slice < 16; slice++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const shorter = load<u32>(tables + (slice - 1) * 1024 + byte * 4);
      store<u32>(tables + slice * 1024 + byte * 4, (shorter >> 8) ^ load<u32>(tables + (shorter & 255) * 4));
    }
  }
}

// @inline
function slice(tables: usize, table: usize, word: u64, shift: u64): u32 {
  return load<u32>(tables + table * 1024 + ((((word >> shift) as u32) & 255) << 2));
}

/** Sixteen bytes a step through tables; `crc` is the plain remainder, without the inversions of RFC 1952. */
function remainder(crc: u32, start: usize, bytes: u32): u32 {
  const t = scratch + CRC_TABLES;
  let at = start;
  const end = start + bytes;
  while (end - at >= 16) {
    const a = load<u64>(at) ^ (crc as u64);
    const b = load<u64>(at, 8);
    crc =
      slice(t, 15, a, 0) ^
      slice(t, 14, a, 8) ^
      slice(t, 13, a, 16) ^
      slice(t, 12, a, 24) ^
      slice(t, 11, a, 32) ^
      slice(t, 10, a, 40) ^
      slice(t, 9, a, 48) ^
      slice(t, 8, a, 56) ^
      (slice(t, 7, b, 0) ^
        slice(t, 6, b, 8) ^
        slice(t, 5, b, 16) ^
        slice(t, 4, b, 24) ^
        slice(t, 3, b, 32) ^
        slice(t, 2, b, 40) ^
        slice(t, 1, b, 48) ^
        slice(t, 0, b, 56));
    at += 16;
  }
  for (; at < end; at++) crc = (crc >> 8) ^ load<u32>(t + (((crc ^ load<u8>(at)) & 255) << 2));
  return crc;
}

// @inline
function carried(at: usize): v128 {
  return v128.xor(
    v128.xor(v128.load(at - STEP_1), v128.load(at - STEP_2)),
    v128.xor(v128.load(at - STEP_3), v128.load(at - STEP_4)),
  );
}

/** Takes out the front of a long message. @returns the remainder of all of it */
function longRemainder(crc: u32, start: usize, bytes: u32): u32 {
  const work = scratch + CRC_WORK;
  const segment = work + STEP_4;
  const frontEnd = start + ((bytes - (STEP_4 as u32)) & ~15);
  memory.fill(work, 0, STEP_4);
  let at = start;
  let seed = i32x4(crc, 0, 0, 0);
  while (at < frontEnd) {
    const size = min(SEGMENT, frontEnd - at);
    for (let i: usize = 0; i < size; i += 16) {
      v128.store(segment + i, v128.xor(v128.xor(v128.load(at + i), seed), carried(segment + i)));
      seed = i32x4.splat(0);
    }
    at += size;
    memory.copy(work, work + size, STEP_4);
  }
  // The rest carries nothing on: behind the front there are zeros.
  const end = start + bytes;
  memory.fill(segment, 0, STEP_4);
  const rest = segment + STEP_4 + 16;
  let to = rest;
  let from = segment;
  for (; end - at >= 16; at += 16, to += 16, from += 16) {
    v128.store(to, v128.xor(v128.load(at), carried(from)));
  }
  v128.store(to, carried(from));
  for (; at < end; at++, to++) store<u8>(to, load<u8>(to) ^ load<u8>(at));
  return remainder(0, rest, (to - rest) as u32);
}

export function crc32(seed: u32, start: usize, bytes: u32): u32 {
  return ~(bytes < LONG ? remainder(~seed, start, bytes) : longRemainder(~seed, start, bytes));
}

/**
 * Sixteen bytes a step. Over n bytes b is n × a plus each byte times the number of bytes from it to the end: the sum
 * of the earlier bytes is kept apart (`earlier`), because it needs one multiplication by 16 at the end only.
 */
export function adler32(seed: u32, start: usize, bytes: u32): u32 {
  const weights = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
  const eights = i16x8.splat(8);
  let a = seed & 0xffff;
  let b = seed >> 16;
  let at = start;
  let left = bytes;
  while (left >= 16) {
    const run = min<u32>(left & ~15, ADLER_RUN & ~15);
    const runEnd = at + run;
    b += a * run;
    let sum = i32x4.splat(0);
    let earlier = i32x4.splat(0);
    let weighted = i32x4.splat(0);
    while (at < runEnd) {
      const block = v128.load(at);
      earlier = i32x4.add(earlier, sum);
      const low = i16x8.extend_low_i8x16_u(block);
      const high = i16x8.extend_high_i8x16_u(block);
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.add(low, high)));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(low, i16x8.add(weights, eights)));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(high, weights));
      at += 16;
    }
    a = (a + laneSum(sum)) % ADLER_BASE;
    b = (b + laneSum(earlier) * 16 + laneSum(weighted)) % ADLER_BASE;
    left -= run;
  }
  while (left > 0) {
    a += load<u8>(at++);
    b += a;
    left--;
  }
  return ((b % ADLER_BASE) << 16) | (a % ADLER_BASE);
}

// @inline
export function laneSum(value: v128): u32 {
  return (
    i32x4.extract_lane(value, 0) +
    i32x4.extract_lane(value, 1) +
    i32x4.extract_lane(value, 2) +
    i32x4.extract_lane(value, 3)
  );
}

/** `kind`: 0 none, 1 CRC-32, 2 Adler-32. */
export function checksum(kind: u32, seed: u32, start: usize, bytes: u32): u32 {
  if (kind === 1) return crc32(seed, start, bytes);
  if (kind === 2) return adler32(seed, start, bytes);
  return seed;
}
