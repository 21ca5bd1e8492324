/**
 * The hot loop of INFLATE: whole symbols while FAST_INPUT_MARGIN bytes of input and FAST_OUTPUT_MARGIN bytes of room are
 * left, so that nothing inside needs a bounds check except the reach of a match. Registers live in locals. Nothing is
 * called from the loop, because V8 would keep every local in memory across the call, also on the paths without it: what
 * is rare ends the loop and is done by the caller.
 */
import { DISTANCE_MASK, END_OF_BLOCK, EXCEPTIONAL, INVALID, LITLEN_MASK } from './decode-table';
import { BAD_DISTANCE_SYMBOL, BAD_LITLEN_SYMBOL, tables } from './inflate-header';
import * as s from './inflate-state';
import { DISTANCE_TABLE, REPEAT_SHUFFLE, REPEAT_STEP, scratch } from './layout';

/** One iteration reads at most two words that start less than 8 bytes apart. */
export const FAST_INPUT_MARGIN: usize = 16;
/** Two pairs of literals, then a match of 258 that is written in steps of 32 bytes. */
export const FAST_OUTPUT_MARGIN: usize = 320;

export const FAST_MARGIN: u32 = 100;
export const FAST_END_OF_BLOCK: u32 = 101;
/** A match, left in the state, reaches back into earlier jobs' output. */
export const FAST_WINDOW: u32 = 102;

/** Repeats the last `distance` (1–15) bytes; writes up to 32 bytes behind the end of the match. */
// @inline
function copyNear(to: usize, distance: u32, length: u32): void {
  let pattern: v128;
  if (distance === 1) pattern = v128.load8_splat(to - 1);
  else {
    // The load may reach behind `to`; the shuffle uses only the `distance` bytes before it.
    pattern = i8x16.swizzle(v128.load(to - distance), v128.load(scratch + REPEAT_SHUFFLE + distance * 16));
  }
  const end = to + length;
  const step: usize = load<u8>(scratch + REPEAT_STEP + distance);
  do {
    v128.store(to, pattern);
    to += step;
  } while (to < end);
}

/**
 * Decodes until a margin, `outputLimit`, the end of the block, a match that is not this loop's, or an error.
 * @returns FAST_MARGIN, FAST_END_OF_BLOCK, FAST_WINDOW or the reason why the stream is corrupt
 */
export function decodeFast(outputLimit: usize): u32 {
  let bits = s.bits;
  let count = s.bitCount as u64; // only its low six bits mean something inside the loop
  let input = s.input;
  let output = s.output;
  const inputLimit = s.inputEnd - FAST_INPUT_MARGIN;
  const outputStart = s.outputStart;
  const litlen = tables;
  let result: u32 = FAST_MARGIN;
  if (input > inputLimit || output > outputLimit) return result;
  bits |= load<u64>(input) << count;
  input += ((~count & 63) >> 3) as usize;
  count |= 56;
  let entry = load<u32>(litlen + (((bits as u32) & LITLEN_MASK) << 2));
  for (;;) {
    if (input > inputLimit) break;
    if (output > outputLimit) break;
    if ((entry as i32) < 0) {
      // Up to two entries of at most 11 bits each leave more than 33 bits for what follows.
      store<u16>(output, (entry >> 8) as u16);
      output += (entry >> 24) & 3;
      bits >>= entry as u64;
      count -= entry as u64;
      entry = load<u32>(litlen + (((bits as u32) & LITLEN_MASK) << 2));
      if ((entry as i32) < 0) {
        store<u16>(output, (entry >> 8) as u16);
        output += (entry >> 24) & 3;
        bits >>= entry as u64;
        count -= entry as u64;
        entry = load<u32>(litlen + (((bits as u32) & LITLEN_MASK) << 2));
        if ((entry as i32) < 0) {
          store<u16>(output, (entry >> 8) as u16);
          output += (entry >> 24) & 3;
          bits >>= entry as u64;
          count -= entry as u64;
          bits |= load<u64>(input) << count;
          input += ((~count & 63) >> 3) as usize;
          count |= 56;
          entry = load<u32>(litlen + (((bits as u32) & LITLEN_MASK) << 2));
          continue;
        }
      }
      bits |= load<u64>(input) << count;
      input += ((~count & 63) >> 3) as usize;
      count |= 56;
    }
    if ((entry & EXCEPTIONAL) !== 0) {
      if ((entry & (END_OF_BLOCK | INVALID)) === 0) {
        bits >>= entry as u64;
        count -= entry as u64;
        const sub = (bits as u32) & ((1 << ((entry >> 8) & 15)) - 1);
        entry = load<u32>(litlen + (((entry >> 16) + sub) << 2));
        if ((entry as i32) < 0) {
          store<u8>(output, (entry >> 8) as u8);
          output++;
          bits >>= entry as u64;
          count -= entry as u64;
          bits |= load<u64>(input) << count;
          input += ((~count & 63) >> 3) as usize;
          count |= 56;
          entry = load<u32>(litlen + (((bits as u32) & LITLEN_MASK) << 2));
          continue;
        }
      }
      if ((entry & EXCEPTIONAL) !== 0) {
        bits >>= entry as u64;
        count -= entry as u64;
        result = (entry & END_OF_BLOCK) !== 0 ? FAST_END_OF_BLOCK : BAD_LITLEN_SYMBOL;
        break;
      }
    }
    const length =
      ((entry >> 16) & 511) + (((bits >> (((entry >> 8) & 15) as u64)) as u32) & ((entry >> 25) & 31));
    bits >>= entry as u64;
    count -= entry as u64;
    // At most 20 of at least 56 bits are gone; a distance takes at most 28.
    entry = load<u32>(litlen + (((bits as u32) & DISTANCE_MASK) << 2), DISTANCE_TABLE);
    if ((entry & EXCEPTIONAL) !== 0) {
      if ((entry & INVALID) === 0) {
        bits >>= entry as u64;
        count -= entry as u64;
        const sub = (bits as u32) & ((1 << ((entry >> 8) & 15)) - 1);
        entry = load<u32>(litlen + (((entry >> 16) + sub) << 2), DISTANCE_TABLE);
      }
      if ((entry & EXCEPTIONAL) !== 0) {
        result = BAD_DISTANCE_SYMBOL;
        break;
      }
    }
    const extra = (bits as u32) & (((1 as u32) << (entry & 63)) - 1);
    const distance = (entry >> 16) + (extra >> ((entry >> 8) & 15));
    bits >>= entry as u64;
    count -= entry as u64;
    // The next entry is on its way while the match is copied.
    bits |= load<u64>(input) << count;
    input += ((~count & 63) >> 3) as usize;
    count |= 56;
    entry = load<u32>(litlen + (((bits as u32) & LITLEN_MASK) << 2));
    const end = output + length;
    if (distance > ((output - outputStart) as u32)) {
      s.setMatch(length, distance);
      result = FAST_WINDOW;
      break;
    } else if (distance >= 16) {
      let from = output - distance;
      v128.store(output, v128.load(from));
      v128.store(output, v128.load(from, 16), 16);
      if (length > 32) {
        do {
          output += 32;
          from += 32;
          v128.store(output, v128.load(from));
          v128.store(output, v128.load(from, 16), 16);
        } while (output + 32 < end);
      }
    } else copyNear(output, distance, length);
    output = end;
  }
  s.setBits(bits, (count & 63) as u32);
  s.maskBits();
  s.setInput(input);
  s.setOutput(output);
  return result;
}
