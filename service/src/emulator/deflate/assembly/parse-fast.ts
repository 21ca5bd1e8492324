/** Levels 1 to 3: one candidate for each five-byte hash; 1 and 2 are greedy, 3 looks at the next position too. */
import { FAST_HEADS, scratch } from './layout';
import * as m from './match';

const HASH_MULTIPLIER: u64 = 0x9e3779b185ebca87;
const LEAST_BITS: u32 = 11;
/** 32 KiB of table stay in the first-level cache; where matches are far apart, twice as much loses fewer of them. */
const MOST_BITS: u32 = 14;
const MOST_BITS_LARGE: u32 = 15;
const LARGE: u32 = 128 << 10;
/**
 * Heads are positions modulo 64 Ki, which keeps the table in the first-level cache. It is cleared for each job, and
 * positions start so high that a cleared head is out of reach until the wrap makes it a distance that exists.
 */
const FIRST_POSITION: u32 = 32769;
/** The main loop looks ahead as far as a match may go and eight bytes more. */
const LOOK_AHEAD: usize = 272;

/** Level 3 does not look behind a match as long for a longer one at the next position. */
const LONG: u32 = 32;

let bias: u32 = 0;
/** Byte offsets in the table, whose entries of two bytes are four times the job's positions at most. */
let slotMask: usize = 0;
let insertsAll: bool = false;
let looksAhead: bool = false;
/** Few matches were found of late: of four positions one is looked up. */
let isSparse: bool = false;
/** What the table is of; 0: of no job that another one can continue. */
let tableLevel: u32 = 0;
/** The table knows what comes before it. */
let notedEnd: usize = 0;

/**
 * Level 1 puts three positions of a match into the table, level 2 all of them. `continues` as openSource has it: a table that is
 * large enough goes on.
 */
export function openFast(level: u32, continues: bool): void {
  isSparse = false;
  const all = (m.sourceEnd - m.sourceStart) as u32;
  const most = level > 1 || all >= LARGE ? MOST_BITS_LARGE : MOST_BITS;
  const bits = min<u32>(max<u32>(33 - clz(all | 1), LEAST_BITS), most);
  const bytes: usize = (2 as usize) << (bits as usize);
  if (continues && tableLevel === level && bytes - 2 <= slotMask) return;
  tableLevel = level < 3 ? level : 0;
  slotMask = bytes - 2;
  memory.fill(scratch + FAST_HEADS, 0, bytes);
  bias = FIRST_POSITION - (m.sourceStart as u32);
  insertsAll = level > 1;
  looksAhead = level > 2;
  notedEnd = m.sourceStart;
}

/**
 * Tells what the newest chunk was like. Where matches make less than a seventh of a byte for each token, as in random digits, a
 * match is worth little more than its literals, and looking for it costs three times what a byte of text costs.
 */
export function adaptFast(bytes: u32, tokens: u32): void {
  isSparse = bytes * 6 < tokens * 7;
}

/** Puts what the table does not know of the history before `source` into it. */
export function noteHistory(source: usize): void {
  const heads = scratch + FAST_HEADS;
  const mask = slotMask;
  const end = min(source, m.sourceEnd - 7);
  for (let at = max(m.sourceStart, notedEnd); at < end; at++) insert(heads, mask, at, (at as u32) + bias);
}

/** Five bytes, because a match of four from far away saves next to nothing, and fewer candidates fail. */
// @inline
function slotOf(heads: usize, mask: usize, bytes: u64): usize {
  return heads + (((((bytes << 24) * HASH_MULTIPLIER) >> 48) as usize) & mask);
}

// @inline
function insert(heads: usize, mask: usize, at: usize, position: u32): void {
  store<u16>(slotOf(heads, mask, load<u64>(at)), position);
}

/** Puts a position of a stretch that is not parsed into the table; needs eight readable bytes. */
export function note(at: usize): void {
  insert(scratch + FAST_HEADS, slotMask, at, (at as u32) + bias);
}

/** Whether four bytes have a match: 0 or 1; not for the first byte of the source, see parseFast. */
export function probe(at: usize): u32 {
  const bytes = load<u64>(at);
  const distance = ((at as u32) + bias - load<u16>(slotOf(scratch + FAST_HEADS, slotMask, bytes))) & 0xffff;
  const near = select<u32>(distance, 1, distance - 1 < m.maxDistance);
  return (load<u32>(at - near) === (bytes as u32)) as u32;
}

/** The match at `at` is of at least four bytes; reads at most LOOK_AHEAD bytes. */
// @inline
function lengthOf(at: usize, from: usize): u32 {
  let length: u32 = 4;
  for (;;) {
    const difference = load<u64>(at + length) ^ load<u64>(from + length);
    if (difference !== 0) {
      length += (ctz(difference) >> 3) as u32;
      break;
    }
    length += 8;
    if (length >= m.MAX_MATCH) break;
  }
  return min<u32>(length, m.MAX_MATCH);
}

/** Parses from `start` until the source or the room up to `tokenLimit` ends. @returns where it stopped */
export function parseFast(start: usize, tokenLimit: usize): usize {
  return looksAhead ? parseAhead(start, tokenLimit) : parseGreedy(start, tokenLimit);
}

// Two functions, because code for level 3 in the loop of level 1 costs registers there.
function parseGreedy(start: usize, tokenLimit: usize): usize {
  return parseLoop(start, tokenLimit, false);
}

function parseAhead(start: usize, tokenLimit: usize): usize {
  return parseLoop(start, tokenLimit, true);
}

// @inline
function parseLoop(start: usize, tokenLimit: usize, isLazy: bool): usize {
  const base = scratch;
  const heads = base + FAST_HEADS;
  const mask = slotMask;
  const isThorough = insertsAll;
  const skips = isSparse;
  const toPosition = bias;
  const maxDistance = m.maxDistance;
  let token = m.tokenEnd;
  let at = start;
  if (m.sourceEnd - start >= 8) notedEnd = m.sourceEnd - 8;
  if (m.sourceEnd - start > LOOK_AHEAD) {
    const safeEnd = m.sourceEnd - LOOK_AHEAD;
    // From the second byte on there is always a candidate, at distance 1: no branch on having one.
    if (at === m.sourceStart) token = m.emitLiteralTo(base, token, load<u8>(at++));
    for (;;) {
      if (token >= tokenLimit) break;
      if (at >= safeEnd) break;
      const bytes = load<u64>(at);
      const slot = slotOf(heads, mask, bytes);
      const position = (at as u32) + toPosition;
      let distance = (position - (load<u16>(slot) as u32)) & 0xffff;
      store<u16>(slot, position);
      distance = select<u32>(distance, 1, distance - 1 < maxDistance);
      if (load<u32>(at - distance) !== (bytes as u32)) {
        token = m.emitLiteralTo(base, token, (bytes as u32) & 255);
        at++;
        if (skips) {
          token = m.emitLiteralTo(base, token, ((bytes as u32) >> 8) & 255);
          token = m.emitLiteralTo(base, token, ((bytes as u32) >> 16) & 255);
          token = m.emitLiteralTo(base, token, (bytes as u32) >> 24);
          at += 3;
        }
        continue;
      }
      let length = lengthOf(at, at - distance);
      if (isLazy && length < LONG) {
        const following = load<u64>(at + 1);
        let second = (position + 1 - (load<u16>(slotOf(heads, mask, following)) as u32)) & 0xffff;
        second = select<u32>(second, 1, second - 1 < maxDistance);
        if (load<u32>(at + 1 - second) === (following as u32)) {
          const longer = lengthOf(at + 1, at + 1 - second);
          if (longer > length) {
            token = m.emitLiteralTo(base, token, (bytes as u32) & 255);
            at++;
            length = longer;
            distance = second;
          }
        }
      }
      token = m.emitMatchTo(base, token, length, distance);
      const next = at + length;
      if (isThorough) {
        for (at++; at < next; at++) insert(heads, mask, at, (at as u32) + toPosition);
      } else {
        insert(heads, mask, at + 1, position + 1);
        insert(heads, mask, next - 2, position + length - 2);
        insert(heads, mask, next - 1, position + length - 1);
      }
      at = next;
    }
  }
  return parseEnd(at, token, tokenLimit);
}

/** The same near the source's end, or when it is short: every read is checked against the end. */
function parseEnd(start: usize, firstToken: usize, tokenLimit: usize): usize {
  const end = m.sourceEnd;
  const heads = scratch + FAST_HEADS;
  const mask = slotMask;
  let token = firstToken;
  let at = start;
  while (token < tokenLimit && end - at >= 8) {
    const bytes = load<u64>(at);
    const slot = slotOf(heads, mask, bytes);
    const position = (at as u32) + bias;
    const distance = (position - (load<u16>(slot) as u32)) & 0xffff;
    store<u16>(slot, position);
    const reach = min<u32>(m.maxDistance, (at - m.sourceStart) as u32);
    if (distance - 1 < reach && load<u32>(at - distance) === (bytes as u32)) {
      const length = m.matchLength(at, at - distance, 4, min<u32>(m.MAX_MATCH, (end - at) as u32));
      token = m.emitMatch(token, length, distance);
      const next = at + length;
      const insertEnd = min(next, end - 8);
      for (at++; at < insertEnd; at++) insert(heads, mask, at, (at as u32) + bias);
      at = next;
    } else {
      token = m.emitLiteral(token, (bytes as u32) & 255);
      at++;
    }
  }
  while (token < tokenLimit && at < end) token = m.emitLiteral(token, load<u8>(at++));
  m.setTokenEnd(token);
  return at;
}
