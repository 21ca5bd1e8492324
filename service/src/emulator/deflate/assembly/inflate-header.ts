/** Block headers of INFLATE: block types and the code lengths of dynamic blocks (RFC 1951 3.2.3–3.2.7). */
import {
  buildDecodeTable,
  DISTANCE_ROOT_BITS,
  LITLEN_ROOT_BITS,
  limitDistances,
  packLiterals,
} from './decode-table';
import * as s from './inflate-state';
import {
  BUILD_COUNT,
  BUILT_LENGTHS,
  CODE_LENGTHS,
  DISTANCE_TABLE,
  DISTANCE_TEMPLATE,
  DYNAMIC_LITLEN,
  FIXED_LITLEN,
  LITLEN_TEMPLATE,
  PRECODE_LENGTHS,
  PRECODE_ORDER,
  PRECODE_TABLE,
  scratch,
} from './layout';

// Outcomes, as the host reads them; 0 = go on with the next phase.
export const CONTINUE: u32 = 0;
export const END: u32 = 1;
export const MORE: u32 = 2;
export const OUTPUT_FULL: u32 = 3;
export const CORRUPT: u32 = 4;

// Reasons of CORRUPT; the host has a sentence for each, in this order.
const BAD_BLOCK_TYPE: u32 = 1;
export const BAD_STORED_LENGTH: u32 = 2;
const TOO_MANY_CODES: u32 = 3;
const BAD_PRECODE: u32 = 4;
const BAD_REPEAT: u32 = 5;
const NO_END_OF_BLOCK: u32 = 6;
const BAD_LITLEN_CODE: u32 = 7;
const BAD_DISTANCE_CODE: u32 = 8;
export const BAD_LITLEN_SYMBOL: u32 = 9;
export const BAD_DISTANCE_SYMBOL: u32 = 10;
export const DISTANCE_TOO_FAR: u32 = 11;
export const BAD_CONTEXT: u32 = 12;

/** Decode tables of the block at hand: the literal/length table, and DISTANCE_TABLE behind it the distance table. */
export let tables: usize = 0;
/** Whether the literal/length table holds pairs of literals already. */
export let isPacked: bool = false;

let builtLitlen: u32 = 0;
let builtDistance: u32 = 0;
let isDynamicPacked: bool = false;

/** RFC 1951 section 3.2.6; the table outlives all jobs. */
export function initFixedTables(): void {
  const lengths = scratch + CODE_LENGTHS;
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
  const litlen = scratch + FIXED_LITLEN;
  buildDecodeTable(lengths, 288, scratch + LITLEN_TEMPLATE, litlen, LITLEN_ROOT_BITS);
  memory.fill(lengths, 5, 32);
  buildDecodeTable(lengths, 32, scratch + DISTANCE_TEMPLATE, litlen + DISTANCE_TABLE, DISTANCE_ROOT_BITS);
}

let windowBytes: u32 = 32768;

/** Distances that the stream may use; longer ones stand for nothing in the tables. Overwrites CODE_LENGTHS. */
export function useWindow(bytes: u32): void {
  if (bytes === windowBytes) return;
  windowBytes = bytes;
  limitDistances(bytes);
  initFixedTables();
  builtLitlen = 0;
}

export function useFixedTables(): void {
  tables = scratch + FIXED_LITLEN;
  isPacked = true; // codes of 7 to 9 bits never fit in pairs
}

export function pack(): void {
  packLiterals(tables, LITLEN_ROOT_BITS);
  isPacked = true;
  isDynamicPacked = true;
}

/** Builds the tables from CODE_LENGTHS, or keeps those of the last block when they are the same. */
export function useDynamicTables(): u32 {
  const lengths = scratch + CODE_LENGTHS;
  const built = scratch + BUILT_LENGTHS;
  tables = scratch + DYNAMIC_LITLEN;
  if (builtLitlen !== s.litlenCodes || builtDistance !== s.distanceCodes || !isEqual(lengths, built)) {
    builtLitlen = 0;
    isDynamicPacked = false;
    if (load<u8>(lengths + 256) === 0) return s.fail(NO_END_OF_BLOCK);
    if (!buildDecodeTable(lengths, s.litlenCodes, scratch + LITLEN_TEMPLATE, tables, LITLEN_ROOT_BITS)) {
      return s.fail(BAD_LITLEN_CODE);
    }
    const distance = tables + DISTANCE_TABLE;
    const from = lengths + s.litlenCodes;
    if (!buildDecodeTable(from, s.distanceCodes, scratch + DISTANCE_TEMPLATE, distance, DISTANCE_ROOT_BITS)) {
      return s.fail(BAD_DISTANCE_CODE);
    }
    memory.copy(built, lengths, 336);
    builtLitlen = s.litlenCodes;
    builtDistance = s.distanceCodes;
  }
  isPacked = isDynamicPacked;
  return CONTINUE;
}

/** Both are 336 bytes, zero behind the last code. */
function isEqual(a: usize, b: usize): bool {
  let difference = i64x2.splat(0);
  for (let at: usize = 0; at < 336; at += 16) {
    difference = v128.or(difference, v128.xor(v128.load(a + at), v128.load(b + at)));
  }
  return !v128.any_true(difference);
}

export function readHeader(): u32 {
  if (s.bitCount < 3) s.fill();
  if (s.bitCount < 3) return MORE;
  const type = ((s.bits as u32) >> 1) & 3;
  if (type === 3) return s.fail(BAD_BLOCK_TYPE);
  s.setBlock((s.bits & 1) !== 0, type === 1);
  s.take(3);
  if (type === 0) s.setPhase(s.PHASE_STORED_LENGTH);
  else if (type === 1) {
    useFixedTables();
    s.setPhase(s.PHASE_SYMBOLS);
  } else s.setPhase(s.PHASE_CODE_COUNTS);
  return CONTINUE;
}

export function endBlock(): u32 {
  if (s.isLast) {
    s.setPhase(s.PHASE_END);
    return END;
  }
  s.setPhase(s.PHASE_HEADER);
  return CONTINUE;
}

export function readCodeCounts(): u32 {
  s.fill();
  if (s.bitCount < 14) return MORE;
  const word = s.bits as u32;
  const litlen = (word & 31) + 257;
  const distance = ((word >> 5) & 31) + 1;
  // RFC 1951 defines 286 and 30 symbols; zlib refuses more in a header and so do we.
  if (litlen > 286 || distance > 30) return s.fail(TOO_MANY_CODES);
  s.setCounts(litlen, distance, ((word >> 10) & 15) + 4);
  s.take(14);
  s.setHave(0);
  memory.fill(scratch + PRECODE_LENGTHS, 0, 32);
  s.setPhase(s.PHASE_PRECODE);
  return CONTINUE;
}

export function readPrecode(): u32 {
  let have = s.have;
  while (have < s.precodeCodes) {
    s.fill();
    if (s.bitCount < 3) {
      s.setHave(have);
      return MORE;
    }
    const symbol: usize = load<u8>(scratch + PRECODE_ORDER + have);
    store<u8>(scratch + PRECODE_LENGTHS + symbol, (s.bits as u32) & 7);
    s.take(3);
    have++;
  }
  s.setHave(0);
  memory.fill(scratch + CODE_LENGTHS, 0, 336);
  if (!buildPrecodeTable()) return s.fail(BAD_PRECODE);
  s.setPhase(s.PHASE_CODE_LENGTHS);
  return CONTINUE;
}

/**
 * 128 entries of symbol | bits << 8. Refuses what zlib refuses: any incomplete code but the empty one, which zlib reads
 * as zeros of one bit each, so that the missing end-of-block code is what it then complains about.
 */
export function buildPrecodeTable(): bool {
  const lengths = scratch + PRECODE_LENGTHS;
  const table = scratch + PRECODE_TABLE;
  const next = scratch + BUILD_COUNT; // next code of each length, left-aligned to 7 bits
  let code: u32 = 0;
  for (let bits: u32 = 1; bits <= 7; bits++) {
    store<u32>(next + bits * 4, code);
    for (let symbol: u32 = 0; symbol < 19; symbol++) {
      if (load<u8>(lengths + symbol) === bits) code += 128 >> bits;
    }
  }
  if (code === 0) {
    for (let i: u32 = 0; i < 128; i++) store<u16>(table + i * 2, 1 << 8);
    return true;
  }
  if (code !== 128) return false;
  for (let symbol: u32 = 0; symbol < 19; symbol++) {
    const bits: u32 = load<u8>(lengths + symbol);
    if (bits === 0 || bits > 7) continue;
    const at = load<u32>(next + bits * 4);
    store<u32>(next + bits * 4, at + (128 >> bits));
    const entry = symbol | (bits << 8);
    for (let i = reverse7(at); i < 128; i += 1 << bits) store<u16>(table + i * 2, entry);
  }
  return true;
}

// @inline
function reverse7(value: u32): u32 {
  return (((((value * 0x0802) & 0x22110) | ((value * 0x8020) & 0x88440)) * 0x10101) >> 17) & 127;
}

/** RFC 1951 section 3.2.7: lengths 0–15, 16 repeats the last one, 17 and 18 are runs of zeros. */
export function readCodeLengths(): u32 {
  const lengths = scratch + CODE_LENGTHS;
  const table = scratch + PRECODE_TABLE;
  const total = s.litlenCodes + s.distanceCodes;
  let have = s.have;
  while (have < total) {
    if (s.bitCount < 14) s.fill();
    const word = s.bits as u32;
    const entry: u32 = load<u16>(table + (word & 127) * 2);
    const symbol = entry & 255;
    const codeBits = entry >> 8;
    if (symbol < 16) {
      if (codeBits > s.bitCount) {
        s.setHave(have);
        return MORE;
      }
      s.take(codeBits);
      store<u8>(lengths + have, symbol);
      have++;
      continue;
    }
    const extraBits: u32 = symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
    if (codeBits + extraBits > s.bitCount) {
      s.setHave(have);
      return MORE;
    }
    const repeat = ((word >> codeBits) & ((1 << extraBits) - 1)) + (symbol === 18 ? 11 : 3);
    if ((symbol === 16 && have === 0) || have + repeat > total) return s.fail(BAD_REPEAT);
    if (symbol === 16) {
      const last = load<u8>(lengths + have - 1);
      for (let i: u32 = 0; i < repeat; i++) store<u8>(lengths + have + i, last);
    }
    s.take(codeBits + extraBits);
    have += repeat;
  }
  s.setHave(have);
  const outcome = useDynamicTables();
  if (outcome === CONTINUE) s.setPhase(s.PHASE_SYMBOLS);
  return outcome;
}
