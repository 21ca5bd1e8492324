/** Levels 4–9: hash chains with lazy matching. */
import { COST_UNIT, literalCost, matchCost, resetCosts, usualLiteralCost } from './costs';
import { CHAIN, HASH_BITS, HASH_HEADS, HASH3_BITS, HASH3_HEADS, scratch } from './layout';
import * as m from './match';

const HASH_MULTIPLIER: u32 = 0x9e3779b1;
const CHAIN_MASK: u32 = 0x7fff;
/** A match of three bytes from further away costs more than its literals. */
const TOO_FAR: u32 = 4096;

/** Doublings of the distance, a bit each, that a byte more is worth. */
const MOST_DOUBLINGS: i32 = 4;

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
/** What chainLimit becomes after a chunk of short tokens, and after one of long ones. */
let chainForShort: u32 = 0;
let chainForLong: u32 = 0;
let niceLength: u32 = 0;
let goodLength: u32 = 0;
let looksTwice: bool = false;
/** Behind a match of four bytes and up to so many more, the position after the next is searched too. */
let secondLooks: u32 = 0;
let bestLength: u32 = 0;
let bestDistance: u32 = 0;

/**
 * `chain`, `longChain` and `average`: candidates tried for a position, at most where tokens are short, at most where they are long, and
 * in the long run; `nice`: a match as long ends the search; `good`: behind a match as long the next position gets a quarter of the
 * chain, else half.
 */
export function tuneLazy(
  chain: u32,
  longChain: u32,
  nice: u32,
  average: u32,
  good: u32 = 16,
  twice: bool = false,
): void {
  looksTwice = twice;
  secondLooks = twice ? m.MAX_MATCH : 0;
  creditPerPosition = average;
  chainLimit = chain;
  chainForShort = chain;
  chainForLong = longChain;
  niceLength = nice;
  goodLength = good;
  credit = LARGEST_CREDIT;
  resetCosts();
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
 * Adds a position that has at least four bytes, for matches of four and more; for those of three only findMatch adds where it
 * looks. Its link is the place of the previous occurrence's link, or its own place where that is out of reach: behind a link that is
 * not further away than the one before it nothing follows.
 * @returns the distance to the previous occurrence
 */
// @inline
export function insert(at: usize): u32 {
  const word = load<u32>(at);
  const position = (at as u32) + m.bias;
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

/** Whether a match at `distance` costs so much more than the best one that a single byte more does not pay for it. */
// @inline
function isFarther(distance: u32): bool {
  return bestLength !== 0 && (clz(bestDistance) as i32) - (clz(distance) as i32) > MOST_DOUBLINGS;
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
  store<u32>(slot3(word), position);
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
  const granted = max<u32>(min(chain, max(credit, LEAST_CHAIN)), 1);
  let left = granted;
  let link: usize = (origin - (distance << 1)) & 0xffff;
  for (;;) {
    const from = at - distance;
    if (load<u32>(from + tailAt) === tail && load<u32>(from) === word) {
      const found = m.matchLength(at, from, 4, limit);
      if (found > length + (isFarther(distance) as u32)) {
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

/** Matches in a row that do not pay off, before the search gets wider steps. */
const MOST_REJECTED: u32 = 16;
const REJECTED_STEP: usize = 6;
/** What a byte more that a match covers is worth: it need not be coded after it. */
const BYTE_WORTH: i32 = 4 * COST_UNIT;
const FEW_SECOND_LOOKS: u32 = 4;
/** Bytes of a token, on average, from which on there is time for second looks, and for longer chains. */
const BYTES_FOR_LOOKS: u32 = 6;
const BYTES_FOR_CHAIN: u32 = 8;
/** Longer matches are not compared with their literals. */
const LONG: u32 = 16;

/** Whether the newest match costs less than its literals: where they are cheap, as digits are, short ones from far away do not. */
// @inline
function paysOff(at: usize): bool {
  if (bestLength > LONG) return true;
  const literals =
    literalCost(at) + literalCost(at + 1) + literalCost(at + 2) + (bestLength - 3) * usualLiteralCost;
  return literals > matchCost(bestLength, bestDistance);
}

/** What the newest match and the literals of `skipped` cost win over an older match, given what it covers. */
// @inline
function gainOver(length: u32, distance: u32, literals: i32, skipped: i32): i32 {
  const covered = (bestLength as i32) + skipped - (length as i32);
  const cost = (matchCost(bestLength, bestDistance) as i32) + literals - (matchCost(length, distance) as i32);
  return covered * BYTE_WORTH - cost;
}

/**
 * Tells what the newest chunk was like. Where tokens are long, there are few, and the search has time for more candidates and for a second
 * look behind each; else it looks twice only behind short matches, which gain the most.
 */
export function adaptLazy(bytes: u32, tokens: u32): void {
  chainLimit = bytes > tokens * BYTES_FOR_CHAIN ? chainForLong : chainForShort;
  if (looksTwice) secondLooks = bytes > tokens * BYTES_FOR_LOOKS ? m.MAX_MATCH : FEW_SECOND_LOOKS;
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
    if (!paysOff(at)) {
      // Where nothing pays off for long, not every position is looked at: that cost up to six times the time of text.
      const searchAt = ++rejected > MOST_REJECTED ? min(at + REJECTED_STEP, end - 4) : at;
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
      if (bestLength < length || gainOver(length, distance, literalCost(at), 1) <= 0) {
        if (length - 4 >= secondLooks || end - at <= 9) break;
        findMatch(at + 2, length - 1, chainLimit >> 2);
        inserted = at + 2;
        if (bestLength < length || gainOver(length, distance, literalCost(at) + literalCost(at + 1), 2) <= 0)
          break;
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
