/**
 * Tokens to bits. A token is a u32: index of the literal (0–255) or match (256 + length − 3) at 8:0, distance symbol at
 * 13:9 (NO_DISTANCE for a literal, whose code has no bits), distance extra bits at 26:14. So a literal and a match take
 * the same steps, and the loop has no branch that data can mispredict.
 */
import * as w from './bit-writer';
import {
  DISTANCE_EXTRA,
  LENGTH_BASE,
  LENGTH_EXTRA,
  SYMBOL_CODE,
  SYMBOL_LENGTH,
  scratch,
  USED_DISTANCE,
  USED_LITLEN,
} from './layout';

export const NO_DISTANCE: u32 = 30;

/** From SYMBOL_CODE and SYMBOL_LENGTH, of the symbols in use: how many of USED_LITLEN and USED_DISTANCE. */
export function makeEncodeTables(litlen: usize, distances: usize, usedLitlen: u32, usedDistances: u32): void {
  const codes = scratch + SYMBOL_CODE;
  const lengths = scratch + SYMBOL_LENGTH;
  for (let i: u32 = 0; i < usedLitlen; i++) {
    const symbol: usize = load<u32>(scratch + USED_LITLEN + i * 4) & 511;
    const bits: u32 = load<u8>(lengths + symbol);
    const code: u32 = load<u16>(codes + symbol * 2);
    if (symbol < 256) {
      store<u32>(litlen + symbol * 4, code | (bits << 24));
      continue;
    }
    const index = symbol - 257;
    if (symbol === 256 || index > 28) continue; // 286 and 287 are in the fixed code only
    const extraBits: u32 = load<u8>(scratch + LENGTH_EXTRA + index);
    const first = (load<u16>(scratch + LENGTH_BASE + index * 2) as usize) - 3;
    // Symbol 284 ends one length early: 258 is a symbol of its own.
    const last = min<usize>(first + (1 << extraBits), index === 27 ? 255 : 256);
    const width = (bits + extraBits) << 24;
    for (let at = first; at < last; at++) {
      store<u32>(litlen + 1024 + at * 4, code | (((at - first) as u32) << bits) | width);
    }
  }
  for (let i: u32 = 0; i < usedDistances; i++) {
    const symbol: usize = load<u32>(scratch + USED_DISTANCE + i * 4) & 511;
    const bits: u32 = load<u8>(lengths + 288 + symbol);
    const code: u32 = load<u16>(codes + (288 + symbol) * 2);
    const total = bits + (load<u8>(scratch + DISTANCE_EXTRA + symbol) as u32);
    store<u32>(distances + symbol * 4, code | (bits << 16) | (total << 24));
  }
  store<u32>(distances + NO_DISTANCE * 4, 0);
}

/** The caller has made sure that the codes fit; only the eight-byte stores must not reach behind the end. */
export function encodeTokens(tokens: usize, tokenEnd: usize, litlen: usize, distances: usize): void {
  let bits = w.bits;
  let count = w.bitCount as u64;
  let output = w.output;
  let at = tokens;
  const limit = w.outputEnd - 8;
  if (w.outputEnd >= w.output + 8) {
    const pairsEnd = tokenEnd - 4;
    for (;;) {
      if (at >= tokenEnd) break;
      if (output > limit) break;
      const token = load<u32>(at);
      const first = load<u32>(litlen + ((token & 511) << 2));
      const second = load<u32>(distances + (((token >> 9) & 31) << 2));
      // The token's bits are put together apart from the stream, to keep the chain from token to token short.
      const codeBits = (first >> 24) as u64;
      let code = ((first & 0xffffff) as u64) | (((second & 0xffff) as u64) << codeBits);
      code |= ((token >> 14) as u64) << (codeBits + (((second >> 16) & 31) as u64));
      let width = codeBits + ((second >> 24) as u64);
      if (at < pairsEnd) {
        // Two tokens mostly fit in one store.
        const token2 = load<u32>(at, 4);
        const first2 = load<u32>(litlen + ((token2 & 511) << 2));
        const second2 = load<u32>(distances + (((token2 >> 9) & 31) << 2));
        const codeBits2 = (first2 >> 24) as u64;
        const width2 = codeBits2 + ((second2 >> 24) as u64);
        if (width + width2 <= 56) {
          let code2 = ((first2 & 0xffffff) as u64) | (((second2 & 0xffff) as u64) << codeBits2);
          code2 |= ((token2 >> 14) as u64) << (codeBits2 + (((second2 >> 16) & 31) as u64));
          code |= code2 << width;
          width += width2;
          at += 4;
        }
      }
      at += 4;
      bits |= code << count;
      store<u64>(output, bits);
      count += width;
      output += (count >> 3) as usize;
      bits >>= count & 56;
      count &= 7;
    }
  }
  w.setWriter(output, bits, count as u32);
  for (; at < tokenEnd; at += 4) {
    const token = load<u32>(at);
    const first = load<u32>(litlen + ((token & 511) << 2));
    const second = load<u32>(distances + (((token >> 9) & 31) << 2));
    w.putBits(first & 0xffffff, first >> 24);
    const codeBits = (second >> 16) & 31;
    w.putBits((second & 0xffff) | ((token >> 14) << codeBits), second >> 24);
  }
}
