/** Stored blocks of INFLATE (RFC 1951 section 3.2.4). */
import { BAD_STORED_LENGTH, CONTINUE, endBlock, MORE, OUTPUT_FULL } from './inflate-header';
import * as s from './inflate-state';

/** Room that reading one length or one header needs. */
const FAST_INPUT_MARGIN: usize = 8;

/** To the next byte, then LEN and its complement. */
export function readStoredLength(): u32 {
  s.take(s.bitCount & 7);
  const held = (s.bitCount >> 3) as usize;
  if (s.input - s.inputStart >= held && s.inputEnd - s.input + held >= FAST_INPUT_MARGIN) {
    s.setInput(s.input - held);
    s.setBits(0, 0);
    return runStored();
  }
  if (s.bitCount < 32) s.fill();
  if (s.bitCount < 32) return MORE;
  const word = s.bits as u32;
  if (!isLength(word)) return s.fail(BAD_STORED_LENGTH);
  s.take(32);
  return startStored(word & 0xffff);
}

// @inline
function isLength(word: u32): bool {
  return (word & 0xffff) === ~word >> 16;
}

function startStored(bytes: u32): u32 {
  s.setStoredLeft(bytes);
  s.setPhase(s.PHASE_STORED);
  return copyStored();
}

/**
 * Stored blocks one after the other, from a length at the input on and with no bits held. Streams of tiny blocks spend
 * their time on going from state to state, so this goes through them with locals.
 */
function runStored(): u32 {
  const inputEnd = s.inputEnd;
  const outputEnd = s.outputEnd;
  let input = s.input;
  let output = s.output;
  let isLast = s.isLast;
  let phase = s.PHASE_STORED_LENGTH;
  while (inputEnd - input >= FAST_INPUT_MARGIN) {
    if (phase === s.PHASE_HEADER) {
      const header = load<u8>(input);
      if ((header & 6) !== 0) break; // another type of block
      isLast = (header & 1) !== 0;
      phase = s.PHASE_STORED_LENGTH;
      input++;
      continue;
    }
    const word = load<u32>(input);
    if (!isLength(word)) {
      leave(input, output, isLast);
      return s.fail(BAD_STORED_LENGTH);
    }
    const bytes = word & 0xffff;
    input += 4;
    if (bytes > ((inputEnd - input) as u32) || bytes > ((outputEnd - output) as u32)) {
      leave(input, output, isLast);
      return startStored(bytes);
    }
    copyBytes(output, input, bytes);
    input += bytes;
    output += bytes;
    if (isLast) {
      leave(input, output, isLast);
      return endBlock();
    }
    phase = s.PHASE_HEADER;
  }
  leave(input, output, isLast);
  s.setPhase(phase);
  return phase === s.PHASE_HEADER ? CONTINUE : readStoredLength();
}

// @inline
function leave(input: usize, output: usize, isLast: bool): void {
  s.setInput(input);
  s.setOutput(output);
  s.setBlock(isLast, false);
}

/** Short stored blocks are not worth the call that `memory.copy` is. */
// @inline
function copyBytes(to: usize, from: usize, bytes: u32): void {
  if (bytes > 48) {
    memory.copy(to, from, bytes);
    return;
  }
  let at: u32 = 0;
  for (; at + 8 <= bytes; at += 8) store<u64>(to + at, load<u64>(from + at));
  for (; at < bytes; at++) store<u8>(to + at, load<u8>(from + at));
}

export function copyStored(): u32 {
  let left = s.storedLeft;
  let to = s.output;
  // Bytes that wait in the bit buffer come first.
  while (left > 0 && s.bitCount >= 8 && to < s.outputEnd) {
    store<u8>(to++, s.bits as u8);
    s.take(8);
    left--;
  }
  if (left > 0 && s.bitCount < 8) {
    s.setBits(0, 0); // whole bytes only: the length was byte aligned
    const from = s.input;
    const run = min(min(left, (s.inputEnd - from) as u32), (s.outputEnd - to) as u32);
    copyBytes(to, from, run);
    s.setInput(from + run);
    to += run;
    left -= run;
  }
  s.setStoredLeft(left);
  s.setOutput(to);
  if (left > 0) return to === s.outputEnd ? OUTPUT_FULL : MORE;
  return endBlock();
}
