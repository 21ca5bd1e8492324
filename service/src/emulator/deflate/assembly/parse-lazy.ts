/** Levels 4–9: hash chains with lazy matching. */
import { literalBits } from './chunk';
import { CHAIN, HASH_BITS, HASH_HEADS, HASH3_BITS, HASH3_HEADS, scratch } from './layout';
import * as m from './match';

const HASH_MULTIPLIER: u32 = 0x9e3779b1;
const CHAIN_MASK: u32 = 0x7fff;
/** A match of three bytes from further away costs more than its literals. */
const TOO_FAR: u32 = 4096;

const LARGEST_CREDIT: u32 = 1 << 16;
/** Candidates that are tried without credit. */
const LEAST_CHAIN: u32 = 6;

/**
 * Inputs of few symbols make every chain full and every candidate long. Each position earns credit for so many
 * candidates; what ordinary data saves up runs out on such input, which bounds the time of any input.
 */
let creditPerPosition: u32 = 0;
let credit: u32 = 0;
let chainLimit: u32 = 0;
let niceLength: u32 = 0;
let goodLength: u32 = 0;
let looksTwice: bool = false;
let bestLength: u32 = 0;
let bestDistance: u32 = 0;

/**
 * `chain` and `average`: candidates tried for a position, at most and in the long run; `nice`: a match as long ends the search;
 * `good`: behind a match as long the next position gets a quarter of the chain, else half.
 */
export function tuneLazy(chain: u32, nice: u32, average: u32, good: u32 = 16, twice: bool = false): void {
  looksTwice = twice;
  creditPerPosition = average;
  chainLimit = chain;
  niceLength = nice;
  goodLength = good;
  credit = LARGEST_CREDIT;
  costOfLiteral = USUAL_LITERAL_BITS;
}

// @inline
function slot4(word: u32): usize {
  return scratch + HASH_HEADS + (((word * HASH_MULTIPLIER) >> (32 - HASH_BITS)) << 2);
}

// @inline
function slot3(word: u32): usize {
  return scratch + HASH3_HEADS + ((((word << 8) * HASH_MULTIPLIER) >> (32 - HASH3_BITS)) << 2);
}

/**
 * Adds a position that has at least four bytes. Its link is the place of the previous occurrence's link, or its own place
 * where that is out of reach: behind a link that is not further away than the one before it nothing follows.
 * @returns the distance to the previous occurrence
 */
// @inline
export function insert(at: usize): u32 {
  const word = load<u32>(at);
  const position = (at as u32) + m.bias;
  store<u32>(slot3(word), position);
  const slot = slot4(word);
  const distance = position - load<u32>(slot);
  store<u32>(slot, position);
  const previous = select<u32>(position - distance, position, distance <= CHAIN_MASK);
  store<u16>(scratch + CHAIN + ((position & CHAIN_MASK) << 1), previous << 1);
  return distance;
}

/** Puts what the tables do not know of the history before `source`, behind which there are at least four bytes, into them. */
export function insertHistory(source: usize): void {
  for (let at = max(m.sourceStart, m.insertedEnd); at < source; at++) insert(at);
}

/** Looks for a match longer than `atLeast` at `at`, which it inserts. The result is in bestLength and bestDistance. */
function findMatch(at: usize, atLeast: u32, chain: u32): void {
  const limit = min<u32>(m.MAX_MATCH, (m.sourceEnd - at) as u32);
  const maxDistance = m.maxDistance;
  const word = load<u32>(at);
  const position = (at as u32) + m.bias;
  let length = atLeast;
  bestLength = 0;
  if (length < 3) {
    const near = position - load<u32>(slot3(word));
    if (near <= TOO_FAR && near <= maxDistance && ((load<u32>(at - near) ^ word) & 0xffffff) === 0) {
      length = 3;
      bestLength = 3;
      bestDistance = near;
    }
  }
  let distance = insert(at);
  credit = min(credit + creditPerPosition, LARGEST_CREDIT);
  if (length >= limit) return;
  const reach = min(maxDistance, (at - m.sourceStart) as u32);
  // Twice the position from which distances are counted, as links are: of the bytes at `at`, or of those at the tail.
  let origin = position << 1;
  // Four bytes that end just behind the length to beat tell most losers apart at once.
  let tailAt: usize = 0;
  let tail = word;
  if (length >= 3) {
    tailAt = (length - 3) as usize;
    tail = load<u32>(at + tailAt);
    // A candidate must have both, so the chain of the rarer of the two is enough.
    const tailDistance = position + (tailAt as u32) - load<u32>(slot4(tail));
    if (tailDistance > distance) {
      distance = tailDistance;
      origin += (tailAt as u32) << 1;
    }
  }
  if (distance > reach) return;
  const links = scratch + CHAIN;
  const nice = min(niceLength, limit);
  const granted = min(chain, max(credit, LEAST_CHAIN));
  let left = granted;
  let link: usize = (origin - (distance << 1)) & 0xffff;
  for (;;) {
    const from = at - distance;
    if (load<u32>(from + tailAt) === tail && load<u32>(from) === word) {
      const found = m.matchLength(at, from, 4, limit);
      if (found > length) {
        length = found;
        bestLength = found;
        bestDistance = distance;
        if (found >= nice) break;
        tailAt = length - 3;
        tail = load<u32>(at + tailAt);
      }
    }
    if (--left === 0) break;
    link = load<u16>(links + link);
    const next = ((origin - (link as u32)) & 0xffff) >> 1;
    if (next <= distance || next > reach) break;
    distance = next;
  }
  credit -= min(credit, granted - left);
}

const USUAL_LITERAL_BITS: f32 = 6;
/** Bits of a match's two codes on average, without the extra bits of its distance. */
const MATCH_CODE_BITS: f32 = 12;
/** Matches in a row that do not pay off, before the search gets wider steps. */
const MOST_REJECTED: u32 = 16;
let costOfLiteral: f32 = USUAL_LITERAL_BITS;

/** Tells what the newest chunk was like: where literals are cheap, as digits are, short matches from far away do not pay. */
export function adaptLazy(): void {
  costOfLiteral = literalBits(costOfLiteral);
}

// @inline
function paysOff(length: u32, distance: u32): bool {
  if (length > 16) return true;
  const extraBits: i32 = 30 - (clz(distance) as i32);
  return (length as f32) * costOfLiteral > MATCH_CODE_BITS + (extraBits as f32);
}

/** Bits that the newest match wins over an older one, given the distances: four for a byte, one for each doubling. */
// @inline
function gainOver(length: u32, distance: u32): i32 {
  const gained = ((bestLength as i32) - (length as i32)) * 4;
  return gained + (clz(bestDistance) as i32) - (clz(distance) as i32);
}

/** Parses from `start` until the source or the room up to `tokenLimit` ends. @returns where it stopped */
export function parseLazy(start: usize, tokenLimit: usize): usize {
  const end = m.sourceEnd;
  let token = m.tokenEnd;
  let at = start;
  let rejected: u32 = 0;
  // A match found one byte ahead may put one more literal before it.
  while (token < tokenLimit && end - at >= 8) {
    findMatch(at, 2, chainLimit);
    if (bestLength < 3) {
      token = m.emitLiteral(token, load<u8>(at++));
      continue;
    }
    if (!paysOff(bestLength, bestDistance)) {
      // Where nothing pays off for long, not every position is looked at: that cost up to six times the time of text.
      const searchAt = ++rejected > MOST_REJECTED ? min(at + bestLength - 1, end - 4) : at;
      token = m.emitLiteral(token, load<u8>(at++));
      while (at < searchAt) {
        insert(at);
        token = m.emitLiteral(token, load<u8>(at++));
      }
      continue;
    }
    rejected = 0;
    let length = bestLength;
    let distance = bestDistance;
    let inserted = at; // newest position in the tables
    while (length < niceLength && end - at > 8 && token < tokenLimit) {
      findMatch(at + 1, length - 1, length >= goodLength ? chainLimit >> 2 : chainLimit >> 1);
      inserted = at + 1;
      if (bestLength < length || gainOver(length, distance) <= 2) {
        if (!looksTwice || end - at <= 9 || length < 4) break;
        findMatch(at + 2, length - 1, chainLimit >> 2);
        inserted = at + 2;
        if (bestLength < length || gainOver(length, distance) <= 6) break;
        token = m.emitLiteral(token, load<u8>(at++));
      }
      token = m.emitLiteral(token, load<u8>(at++));
      length = bestLength;
      distance = bestDistance;
    }
    token = m.emitMatch(token, length, distance);
    at += length;
    const insertEnd = min(at, end - 4);
    for (let next = inserted + 1; next < insertEnd; next++) insert(next);
  }
  if (end - start >= 8) m.setInsertedEnd(max(min(at, end - 4), start));
  while (token < tokenLimit && at < end) token = m.emitLiteral(token, load<u8>(at++));
  m.setTokenEnd(token);
  return at;
}
