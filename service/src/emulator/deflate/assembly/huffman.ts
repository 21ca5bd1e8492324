/**
 * Length-limited canonical Huffman codes (RFC 1951 section 3.2.2). Symbols are sorted by count, the tree is built in
 * place in linear time (Moffat and Katajainen, "In-place calculation of minimum-redundancy codes", 1995), and lengths
 * over the limit are repaired on the histogram of lengths.
 */
import { BUILD_COUNT, BUILD_OFFSET, SORT_A, SORT_B, SORT_COUNT, SORT_WORK, scratch } from './layout';

/** Sorts by the digit at `shift`, which is at most `largestDigit`; an item is count << 9 | symbol. */
function sortByDigit(from: usize, to: usize, items: u32, shift: u32, largestDigit: u32): void {
  const counts = scratch + SORT_COUNT;
  memory.fill(counts, 0, (largestDigit + 1) * 4);
  for (let i: u32 = 0; i < items; i++) {
    const slot = counts + ((load<u32>(from + i * 4) >> shift) & 255) * 4;
    store<u32>(slot, load<u32>(slot) + 1);
  }
  let start: u32 = 0;
  for (let digit: u32 = 0; digit <= largestDigit; digit++) {
    const count = load<u32>(counts + digit * 4);
    store<u32>(counts + digit * 4, start);
    start += count;
  }
  for (let i: u32 = 0; i < items; i++) {
    const item = load<u32>(from + i * 4);
    const slot = counts + ((item >> shift) & 255) * 4;
    const place = load<u32>(slot);
    store<u32>(to + place * 4, item);
    store<u32>(slot, place + 1);
  }
}

/** @returns where the sorted items are */
function sortSymbols(used: usize, items: u32, largest: u32): usize {
  let from = used;
  let to = scratch + SORT_A;
  for (let shift: u32 = 9; shift < 32 && largest >> (shift - 9) !== 0; shift += 8) {
    sortByDigit(from, to, items, shift, min<u32>(largest >> (shift - 9), 255));
    from = to;
    to = from === scratch + SORT_A ? scratch + SORT_B : scratch + SORT_A;
  }
  return from;
}

/** Replaces the ascending counts u32[n] at `work` by the code lengths in descending order. n ≥ 2. */
function lengthsFromCounts(work: usize, n: u32): void {
  // Phase 1: parents. `root` is the next unused inner node, `leaf` the next unused leaf.
  let root: u32 = 0;
  let leaf: u32 = 2;
  store<u32>(work, load<u32>(work) + load<u32>(work, 4));
  for (let next: u32 = 1; next < n - 1; next++) {
    let sum: u32;
    if (leaf >= n || load<u32>(work + root * 4) < load<u32>(work + leaf * 4)) {
      sum = load<u32>(work + root * 4);
      store<u32>(work + root * 4, next);
      root++;
    } else {
      sum = load<u32>(work + leaf * 4);
      leaf++;
    }
    if (leaf >= n || (root < next && load<u32>(work + root * 4) < load<u32>(work + leaf * 4))) {
      sum += load<u32>(work + root * 4);
      store<u32>(work + root * 4, next);
      root++;
    } else {
      sum += load<u32>(work + leaf * 4);
      leaf++;
    }
    store<u32>(work + next * 4, sum);
  }
  // Phase 2: depths of inner nodes, from the top.
  store<u32>(work + (n - 2) * 4, 0);
  for (let next: i32 = (n as i32) - 3; next >= 0; next--) {
    const parent = load<u32>(work + next * 4);
    store<u32>(work + next * 4, load<u32>(work + parent * 4) + 1);
  }
  // Phase 3: depths of leaves.
  let available: i32 = 1;
  let used: i32 = 0;
  let depth: u32 = 0;
  let inner: i32 = (n as i32) - 2;
  let next: i32 = (n as i32) - 1;
  while (available > 0) {
    while (inner >= 0 && load<u32>(work + inner * 4) === depth) {
      used++;
      inner--;
    }
    while (available > used) {
      store<u32>(work + next * 4, depth);
      next--;
      available--;
    }
    available = 2 * used;
    depth++;
    used = 0;
  }
}

/** Lists the symbols in use, in symbol order; at least two, because decoders differ about a code of one. @returns how many */
function listUsed(counts: usize, symbols: u32, used: usize): u32 {
  let end = used;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count = load<u32>(counts + symbol * 4);
    store<u32>(end, (count << 9) | symbol);
    end += ((count !== 0) as usize) << 2;
  }
  const items = ((end - used) >> 2) as u32;
  if (items >= 2) return items;
  const only: u32 = items === 1 ? load<u32>(used) : 0;
  const isFirst = (only & 511) === 0;
  store<u32>(used, isFirst ? only : 0);
  store<u32>(used, isFirst ? 1 : only, 4);
  return 2;
}

/**
 * Counts u32[symbols] → code lengths u8[symbols], at most `limit` bits, 0 for unused symbols; `codes` u16[symbols] of the
 * used ones, bit-reversed, as they go into the stream from the low bit up; and the list `used`. @returns its items
 */
export function buildCode(
  counts: usize,
  symbols: u32,
  limit: u32,
  lengths: usize,
  codes: usize,
  used: usize,
): u32 {
  const items = listUsed(counts, symbols, used);
  let largest: u32 = 1;
  for (let i: u32 = 0; i < items; i++) largest = max(largest, load<u32>(used + i * 4) >> 9);
  const sorted = sortSymbols(used, items, largest);
  const work = scratch + SORT_WORK;
  for (let i: u32 = 0; i < items; i++) store<u32>(work + i * 4, load<u32>(sorted + i * 4) >> 9);
  lengthsFromCounts(work, items);
  const histogram = scratch + BUILD_COUNT;
  memory.fill(histogram, 0, 64);
  for (let i: u32 = 0; i < items; i++) {
    const slot = histogram + min(load<u32>(work + i * 4), limit) * 4;
    store<u32>(slot, load<u32>(slot) + 1);
  }
  repairHistogram(histogram, limit);
  memory.fill(lengths, 0, symbols);
  let i: u32 = 0; // rarest first: they get the longest codes
  for (let bits = limit; bits > 0; bits--) {
    for (let left = load<u32>(histogram + bits * 4); left > 0; left--) {
      store<u8>(lengths + (load<u32>(sorted + i * 4) & 511), bits);
      i++;
    }
  }
  const next = scratch + BUILD_OFFSET;
  let code: u32 = 0;
  for (let bits: u32 = 1; bits <= limit; bits++) {
    code = (code + load<u32>(histogram + (bits - 1) * 4)) << 1;
    store<u32>(next + bits * 4, code);
  }
  for (let i: u32 = 0; i < items; i++) {
    const symbol = load<u32>(used + i * 4) & 511;
    const bits: u32 = load<u8>(lengths + symbol);
    const value = load<u32>(next + bits * 4);
    store<u32>(next + bits * 4, value + 1);
    store<u16>(codes + symbol * 2, reverse16(value) >> (16 - bits));
  }
  return items;
}

/**
 * Clamping lengths to the limit oversubscribes the code. Each step moves one code of the limit's length up beside a
 * shorter code that becomes one bit longer, which takes one unit of 2^-limit off the Kraft sum.
 */
function repairHistogram(histogram: usize, limit: u32): void {
  let excess: i32 = -(1 << limit);
  for (let bits: u32 = 1; bits <= limit; bits++) {
    excess += load<u32>(histogram + bits * 4) << (limit - bits);
  }
  for (; excess > 0; excess--) {
    let bits = limit - 1;
    while (load<u32>(histogram + bits * 4) === 0) bits--;
    store<u32>(histogram + bits * 4, load<u32>(histogram + bits * 4) - 1);
    store<u32>(histogram + bits * 4 + 4, load<u32>(histogram + bits * 4 + 4) + 2);
    store<u32>(histogram + limit * 4, load<u32>(histogram + limit * 4) - 1);
  }
}

// @inline
function reverse16(value: u32): u32 {
  let v = ((value >> 1) & 0x5555) | ((value & 0x5555) << 1);
  v = ((v >> 2) & 0x3333) | ((v & 0x3333) << 2);
  v = ((v >> 4) & 0x0f0f) | ((v & 0x0f0f) << 4);
  return (v >> 8) | ((v & 0xff) << 8);
}
