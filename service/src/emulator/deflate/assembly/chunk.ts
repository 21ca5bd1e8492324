/**
 * Where a block ends. Parsers deliver tokens in chunks; a chunk joins the open block unless its symbols are so
 * different that two codes, with one more header, are estimated to be cheaper than one.
 */
import { laneSum } from './checksum';
import {
  CHUNK_COUNT,
  LENGTH_EXTRA,
  RAW_DISTANCE_COUNT,
  RAW_LITLEN_COUNT,
  SYMBOL_COUNT,
  scratch,
} from './layout';

/** Estimated bits of a dynamic header: a base and some for each used symbol. */
const HEADER_BITS: f32 = 80;
const HEADER_BITS_PER_SYMBOL: f32 = 2.5;

export function clearRawCounts(): void {
  memory.fill(scratch + RAW_LITLEN_COUNT, 0, 544 * 4);
}

/** Folds the raw counts of match lengths (one each) to the 29 length symbols. */
export function foldRawCounts(): void {
  const from = scratch + RAW_LITLEN_COUNT;
  const to = scratch + CHUNK_COUNT;
  memory.copy(to, from, 1024);
  store<u32>(to + 256 * 4, 1); // each block has one end-of-block
  const lengths = from + 1024;
  // The counts of a symbol's lengths are neighbours: up to seven singly, then by twos, then by whole vectors.
  memory.copy(to + 257 * 4, lengths, 8 * 4);
  for (let i: usize = 0; i < 4; i++) {
    const pair = load<u64>(lengths + 32 + i * 8);
    store<u32>(to + (265 + i) * 4, (pair as u32) + ((pair >> 32) as u32));
  }
  let at = lengths + 64;
  for (let symbol: usize = 12; symbol < 28; symbol++) {
    const end = at + ((4 as usize) << (load<u8>(scratch + LENGTH_EXTRA + symbol) as usize));
    let sum = i32x4.splat(0);
    for (; at < end; at += 16) sum = i32x4.add(sum, v128.load(at));
    store<u32>(to + (257 + symbol) * 4, laneSum(sum));
  }
  // Symbol 284 has one length less than its extra bits could say: 258 is a symbol of its own.
  const longest = load<u32>(at - 4);
  store<u32>(to + 284 * 4, load<u32>(to + 284 * 4) - longest);
  store<u32>(to + 285 * 4, longest);
  store<u64>(to + 286 * 4, 0);
  memory.copy(to + 288 * 4, scratch + RAW_DISTANCE_COUNT, 30 * 4);
  store<u64>(to + 318 * 4, 0);
}

export function startBlockWithChunk(): void {
  memory.copy(scratch + SYMBOL_COUNT, scratch + CHUNK_COUNT, 320 * 4);
  blockBits = chunkBits;
  chunkBits = 0;
}

export function joinChunk(): void {
  const to = scratch + SYMBOL_COUNT;
  const from = scratch + CHUNK_COUNT;
  for (let at: usize = 0; at < 320 * 4; at += 16) {
    v128.store(to + at, i32x4.add(v128.load(to + at), v128.load(from + at)));
  }
  store<u32>(to + 256 * 4, 1);
  blockBits = joinedBits;
  chunkBits = 0;
}

/** log2 of four positive integers to about 0.01: the exponent, and a parabola through the mantissa's ends. */
// @inline
export function log2x4(value: v128): v128 {
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(value, 23), i32x4.splat(127)));
  const mantissa = v128.or(v128.and(value, i32x4.splat(0x007fffff)), i32x4.splat(0x3f800000));
  const curve = f32x4.add(f32x4.splat(2.0246), f32x4.mul(mantissa, f32x4.splat(-0.34484)));
  return f32x4.add(exponent, f32x4.add(f32x4.splat(-1.6749), f32x4.mul(mantissa, curve)));
}

/** Entropy of one alphabet's counts in `from` (plus those in `and`, if not 0), in bits. Unused symbols add nothing. */
function symbolBits(from: usize, and: usize, symbols: usize): f32 {
  let sum = f32x4.splat(0);
  let totals = i32x4.splat(0);
  for (let at: usize = 0; at < symbols * 4; at += 16) {
    let counts = v128.load(from + at);
    if (and !== 0) counts = i32x4.add(counts, v128.load(and + at));
    totals = i32x4.add(totals, counts);
    const floats = f32x4.convert_i32x4_s(counts);
    sum = f32x4.add(sum, f32x4.mul(floats, log2x4(f32x4.max(floats, f32x4.splat(1)))));
  }
  const all: f32 =
    f32x4.extract_lane(sum, 0) +
    f32x4.extract_lane(sum, 1) +
    f32x4.extract_lane(sum, 2) +
    f32x4.extract_lane(sum, 3);
  const n = laneSum(totals) as f32;
  return n * f32x4.extract_lane(log2x4(f32x4.splat(max<f32>(n, 1))), 0) - all;
}

// @inline
function entropyBits(from: usize, and: usize): f32 {
  const offset: usize = 288 * 4;
  const second = and === 0 ? (0 as usize) : and + offset;
  return symbolBits(from, and, 288) + symbolBits(from + offset, second, 32);
}

function usedSymbols(counts: usize): u32 {
  let used = i32x4.splat(0);
  for (let at: usize = 0; at < 320 * 4; at += 16) {
    used = i32x4.sub(used, i32x4.ne(v128.load(counts + at), i32x4.splat(0)));
  }
  return laneSum(used);
}

/** Entropy of the open block, once it is known, of the newest chunk and of both together; 0 = not known. */
let blockBits: f32 = 0;
let chunkBits: f32 = 0;
let joinedBits: f32 = 0;

/** Whether a block border before the newest chunk is estimated to save bits. */
export function isSplitWorthwhile(): bool {
  const block = scratch + SYMBOL_COUNT;
  const chunk = scratch + CHUNK_COUNT;
  if (blockBits === 0) blockBits = entropyBits(block, 0);
  chunkBits = entropyBits(chunk, 0);
  joinedBits = entropyBits(block, chunk);
  const header = HEADER_BITS + HEADER_BITS_PER_SYMBOL * (usedSymbols(chunk) as f32);
  return blockBits + chunkBits + header < joinedBits;
}
