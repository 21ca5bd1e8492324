/**
 * Decode tables of INFLATE. An entry is a u32, found by the next `rootBits` bits of the stream:
 *
 * literal       bit 31 set; count (1 or 2) at 25:24; literals at 15:8 and 23:16; length of the first code at 29:26
 * length        base at 24:16, mask of the extra bits at 29:25, length of the code at 11:8
 * distance      base at 30:16, length of the code at 11:8
 * exceptional   bit 15 set; with bit 14 end of block, with bit 13 a code that stands for nothing, else a link:
 *               first entry of the subtable at 30:16, its index bits at 11:8
 *
 * and always at 5:0 the bits to take from the stream, extra bits included; in a subtable without the root bits.
 */
import {
  BUILD_COUNT,
  BUILD_OFFSET,
  BUILD_SORTED,
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  DISTANCE_TEMPLATE,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LITLEN_TEMPLATE,
  scratch,
} from './layout';

export const LITERAL: u32 = 0x80000000;
export const EXCEPTIONAL: u32 = 0x8000;
export const END_OF_BLOCK: u32 = 0x4000;
export const INVALID: u32 = 0x2000;
export const LITLEN_ROOT_BITS: u32 = 11;
export const DISTANCE_ROOT_BITS: u32 = 8;
export const LITLEN_MASK: u32 = (1 << 11) - 1;
export const DISTANCE_MASK: u32 = (1 << 8) - 1;

/** Adding the code length to an entry sets more than one field. */
const LITERAL_BIT: u32 = 1 | (1 << 26);
const MATCH_BIT: u32 = 1 | (1 << 8);

export function initDecodeTemplates(): void {
  for (let symbol: u32 = 0; symbol < 288; symbol++) {
    let entry: u32;
    if (symbol < 256) entry = LITERAL | (1 << 24) | (symbol << 8);
    else if (symbol === 256) entry = EXCEPTIONAL | END_OF_BLOCK;
    else if (symbol > 285) entry = EXCEPTIONAL | INVALID;
    else {
      const extra: u32 = load<u8>(scratch + LENGTH_EXTRA + symbol - 257);
      const base: u32 = load<u16>(scratch + LENGTH_BASE + (symbol - 257) * 2);
      entry = extra | (base << 16) | (((1 << extra) - 1) << 25);
    }
    store<u32>(scratch + LITLEN_TEMPLATE + symbol * 4, entry);
  }
  limitDistances(32768);
}

/** The windows that hardware knows all end where a distance symbol ends, so a symbol is allowed as a whole or not. */
export function limitDistances(windowBytes: u32): void {
  for (let symbol: u32 = 0; symbol < 32; symbol++) {
    let entry: u32 = EXCEPTIONAL | INVALID;
    if (symbol < 30 && (load<u16>(scratch + DISTANCE_BASE + symbol * 2) as u32) <= windowBytes) {
      const base: u32 = load<u16>(scratch + DISTANCE_BASE + symbol * 2);
      entry = load<u8>(scratch + DISTANCE_EXTRA + symbol) | (base << 16);
    }
    store<u32>(scratch + DISTANCE_TEMPLATE + symbol * 4, entry);
  }
}

// @inline
function entryOf(template: usize, symbol: u32, length: u32): u32 {
  const entry = load<u32>(template + symbol * 4);
  // An end of block or invalid code has no field at 11:8: only its bits to take count.
  const unit = entry & LITERAL ? LITERAL_BIT : entry & EXCEPTIONAL ? 1 : MATCH_BIT;
  return entry + unit * length;
}

/**
 * Builds the table of a canonical code (RFC 1951 section 3.2.2) at `table`. Accepts and refuses what zlib does: every
 * over-subscribed code is refused, every incomplete one too except no code at all and one single code of one bit.
 * @returns false for a refused code
 */
export function buildDecodeTable(
  lengths: usize,
  symbols: u32,
  template: usize,
  table: usize,
  rootBits: u32,
): bool {
  const count = scratch + BUILD_COUNT;
  const offset = scratch + BUILD_OFFSET;
  const sorted = scratch + BUILD_SORTED;
  memory.fill(count, 0, 64);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const slot = count + (load<u8>(lengths + symbol) as u32) * 4;
    store<u32>(slot, load<u32>(slot) + 1);
  }
  let maxBits: u32 = 15;
  while (maxBits > 0 && load<u32>(count + maxBits * 4) === 0) maxBits--;
  if (maxBits === 0) {
    store<u64>(table, 0x0000_a001_0000_a001); // two entries: exceptional, invalid, one bit
    growTable(table, 1, rootBits);
    return true;
  }
  // Kraft sum: what is left of the code space after each length.
  let left: i32 = 1;
  let used: u32 = 0;
  for (let bits: u32 = 1; bits <= maxBits; bits++) {
    const codes = load<u32>(count + bits * 4);
    left = (left << 1) - codes;
    if (left < 0) return false;
    store<u32>(offset + bits * 4, used);
    used += codes;
  }
  if (left > 0 && maxBits !== 1) return false;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const bits: u32 = load<u8>(lengths + symbol);
    if (bits !== 0) {
      const slot = offset + bits * 4;
      const place = load<u32>(slot);
      store<u16>(sorted + place * 2, symbol);
      store<u32>(slot, place + 1);
    }
  }
  if (left > 0) {
    store<u32>(table, entryOf(template, load<u16>(sorted), 1));
    store<u32>(table + 4, EXCEPTIONAL | INVALID | 1);
    growTable(table, 1, rootBits);
    return true;
  }
  fillTable(sorted, count, template, table, rootBits, maxBits);
  return true;
}

/** The codes are complete, so every entry gets written; the code is kept bit-reversed, as the stream has it. */
function fillTable(
  sortedStart: usize,
  count: usize,
  template: usize,
  table: usize,
  rootBits: u32,
  maxBits: u32,
): void {
  let sorted = sortedStart;
  let code: u32 = 0;
  let bits: u32 = 1;
  // Root: a table for `bits` bits is doubled for each further bit, so that short codes repeat as they must.
  let size: u32 = 2;
  for (;;) {
    for (let left = load<u32>(count + bits * 4); left > 0; left--) {
      store<u32>(table + code * 4, entryOf(template, load<u16>(sorted), bits));
      sorted += 2;
      code = nextCode(code, size - 1);
    }
    if (bits === rootBits) break;
    if (bits >= maxBits) {
      growTable(table, bits, rootBits);
      return;
    }
    doubleTable(table, size);
    size <<= 1;
    bits++;
  }
  // Subtables, each just wide enough for the codes that share its root bits.
  const rootMask: u32 = (1 << rootBits) - 1;
  let prefix: u32 = 0xffff_ffff;
  let subStart: u32 = 0;
  let subBits: u32 = 0;
  let end = (<u32>1) << rootBits;
  for (bits = rootBits + 1; bits <= maxBits; bits++) {
    for (let left = load<u32>(count + bits * 4); left > 0; left--) {
      if ((code & rootMask) !== prefix) {
        prefix = code & rootMask;
        subStart = end;
        subBits = bits - rootBits;
        let space = left;
        while (space < (<u32>1) << subBits) {
          subBits++;
          space = (space << 1) + load<u32>(count + (rootBits + subBits) * 4);
        }
        end = subStart + (1 << subBits);
        store<u32>(table + prefix * 4, EXCEPTIONAL | (subStart << 16) | (subBits << 8) | rootBits);
      }
      const entry = entryOf(template, load<u16>(sorted), bits - rootBits);
      const step: u32 = 1 << (bits - rootBits);
      for (let i = code >> rootBits; i < (<u32>1) << subBits; i += step) {
        store<u32>(table + (subStart + i) * 4, entry);
      }
      sorted += 2;
      code = nextCode(code, (1 << bits) - 1);
    }
  }
}

/** The next bit-reversed code of the same length: an increment that carries towards the low bits. */
// @inline
function nextCode(code: u32, ones: u32): u32 {
  const zeros = code ^ ones;
  if (zeros === 0) return code; // all ones was the last code
  const bit: u32 = 0x8000_0000 >> clz(zeros);
  return (code & (bit - 1)) | bit;
}

// @inline
function doubleTable(table: usize, size: u32): void {
  const bytes = size * 4;
  if (bytes < 16) {
    store<u64>(table + 8, load<u64>(table));
    return;
  }
  for (let at: u32 = 0; at < bytes; at += 16) v128.store(table + bytes + at, v128.load(table + at));
}

/** The root table always has all its entries, so that its mask is a constant of the decoder. */
function growTable(table: usize, bits: u32, rootBits: u32): void {
  for (; bits < rootBits; bits++) doubleTable(table, 1 << bits);
}

/**
 * Puts two literals into an entry wherever both codes fit in the root bits. Downwards, because entry i looks at the
 * still unpacked entry i >> length, which is never above it.
 */
export function packLiterals(table: usize, rootBits: u32): void {
  for (let i: i32 = (1 << rootBits) - 1; i >= 0; i--) {
    const first = load<u32>(table + i * 4);
    if ((first & LITERAL) === 0) continue;
    const firstBits = first & 63;
    const second = load<u32>(table + ((i as u32) >> firstBits) * 4);
    const bits = firstBits + (second & 63);
    if ((second & LITERAL) === 0 || bits > rootBits) continue;
    store<u32>(
      table + i * 4,
      LITERAL | (2 << 24) | (first & 0xff00) | ((second & 0xff00) << 8) | (firstBits << 26) | bits,
    );
  }
}
