/** What all parsers share: the job's range, positions in the hash tables, and the emitting of tokens. */
import { NO_DISTANCE } from './encode';
import { CHAIN, HASH_HEADS, RAW_DISTANCE_COUNT, RAW_LITLEN_COUNT, SCRATCH_BYTES, scratch } from './layout';

export const MAX_MATCH: u32 = 258;

/** Where the history starts: nothing before it may be read. */
export let sourceStart: usize = 0;
export let sourceEnd: usize = 0;
/** Largest distance that the job allows. */
export let maxDistance: u32 = 0;
/**
 * A position in the hash tables is address + bias. Positions only grow from job to job, with a gap of more than the
 * largest window, so that entries of earlier jobs are too far away to be used and nothing has to be cleared.
 */
export let bias: u32 = 0;
let nextPosition: u32 = 0x10000;
/** Where the newest token ends. */
export let tokenEnd: usize = 0;

export function setTokenEnd(value: usize): void {
  tokenEnd = value;
}

/** All before it that is worth it is in the tables of the hash chains. */
export let insertedEnd: usize = 0;

export function setInsertedEnd(value: usize): void {
  insertedEnd = value;
}

/**
 * `historyBytes` of earlier data lie right before `source`: matches may reach into them. If `continues`, the source follows
 * the one of the job before, of which all is still in place: positions run on, and the tables know the history.
 */
export function openSource(
  source: usize,
  bytes: u32,
  windowBytes: u32,
  historyBytes: u32,
  continues: bool,
): void {
  sourceStart = source - historyBytes;
  sourceEnd = source + bytes;
  maxDistance = windowBytes;
  if (continues && bias + (sourceEnd as u32) < 0x7fff_0000) {
    nextPosition = bias + (sourceEnd as u32) + 0x10000;
    return;
  }
  insertedEnd = sourceStart;
  const all = bytes + historyBytes;
  if (nextPosition + all > 0x7fff_0000 || nextPosition + all < nextPosition) {
    memory.fill(scratch + HASH_HEADS, 0, CHAIN - HASH_HEADS);
    nextPosition = 0x10000;
  }
  bias = nextPosition - (sourceStart as u32);
  nextPosition += all + 0x10000;
}

// @inline
export function countAt(slot: usize): void {
  store<u32>(slot, load<u32>(slot) + 1);
}

// @inline
export function emitLiteral(token: usize, literal: u32): usize {
  return emitLiteralTo(scratch, token, literal);
}

/** For loops: `base` is the scratch range in a local, because V8 reads a global anew at each use. */
// @inline
export function emitLiteralTo(base: usize, token: usize, literal: u32): usize {
  store<u32>(token, literal | (NO_DISTANCE << 9));
  countAt(base + RAW_LITLEN_COUNT + (literal << 2));
  return token + 4;
}

// @inline
export function emitMatch(token: usize, length: u32, distance: u32): usize {
  return emitMatchTo(scratch, token, length, distance);
}

// @inline
export function emitMatchTo(base: usize, token: usize, length: u32, distance: u32): usize {
  // RFC 1951 section 3.2.5: from distance 3 on, the symbol is the place of the top bit and the bit below it.
  const d = distance - 1;
  const top = 31 - clz(d | 2);
  const extraBits = top - 1;
  const symbol = d < 2 ? d : (top << 1) + ((d >> extraBits) & 1);
  const extra = d & ((1 << extraBits) - 1);
  const index = length + 253; // 256 + length − 3
  store<u32>(token, index | (symbol << 9) | (extra << 14));
  countAt(base + RAW_LITLEN_COUNT + (index << 2));
  countAt(base + RAW_DISTANCE_COUNT + (symbol << 2));
  return token + 4;
}

/** Length of the common prefix of `a` and `b` from `start` on, at most `limit`; `a` > `b`, both readable up to a + limit. */
// @inline
export function matchLength(a: usize, b: usize, start: u32, limit: u32): u32 {
  let length = start;
  while (length + 8 <= limit) {
    const difference = load<u64>(a + length) ^ load<u64>(b + length);
    if (difference !== 0) return length + ((ctz(difference) >> 3) as u32);
    length += 8;
  }
  while (length < limit && load<u8>(a + length) === load<u8>(b + length)) length++;
  return length;
}
