/** Levels 1–3: greedy, one candidate for each 4-byte hash. */
import { HASH_BITS, HASH_HEADS, scratch } from './layout';
import * as m from './match';

const HASH_MULTIPLIER: u32 = 0x9e3779b1;

// @inline
function slotOf(heads: usize, word: u32): usize {
  return heads + (((word * HASH_MULTIPLIER) >> (32 - HASH_BITS)) << 2);
}

/** Parses from `start` until the source or the room up to `tokenLimit` ends. @returns where it stopped */
export function parseFast(start: usize, tokenLimit: usize): usize {
  const heads = scratch + HASH_HEADS;
  const end = m.sourceEnd;
  const bias = m.bias;
  const maxDistance = m.maxDistance;
  let token = m.tokenEnd;
  let at = start;
  while (token < tokenLimit && end - at >= 8) {
    const word = load<u32>(at);
    const slot = slotOf(heads, word);
    const position = (at as u32) + bias;
    const distance = position - load<u32>(slot);
    store<u32>(slot, position);
    if (distance <= maxDistance && load<u32>(at - distance) === word) {
      const limit = min<u32>(m.MAX_MATCH, (end - at) as u32);
      const length = m.matchLength(at, at - distance, 4, limit);
      token = m.emitMatch(token, length, distance);
      const next = at + length;
      if (end - next >= 8) {
        for (at++; at < next; at++) store<u32>(slotOf(heads, load<u32>(at)), (at as u32) + bias);
      }
      at = next;
    } else {
      token = m.emitLiteral(token, word & 255);
      at++;
    }
  }
  while (token < tokenLimit && at < end) token = m.emitLiteral(token, load<u8>(at++));
  m.setTokenEnd(token);
  return at;
}
