/**
 * The registers of the stream being inflated, and how they are kept in its context between two jobs. A context lies in
 * memory that clients can write to, so nothing read from it is believed: every field is checked or reduced to its
 * range, and decode tables are never kept there, only the code lengths that they are built from.
 */
import { CODE_LENGTHS, PRECODE_LENGTHS, scratch } from './layout';

/** What a stream does next; the value is stored in contexts. */
export const PHASE_HEADER: u32 = 0;
export const PHASE_STORED_LENGTH: u32 = 1;
export const PHASE_STORED: u32 = 2;
export const PHASE_CODE_COUNTS: u32 = 3;
export const PHASE_PRECODE: u32 = 4;
export const PHASE_CODE_LENGTHS: u32 = 5;
export const PHASE_SYMBOLS: u32 = 6;
export const PHASE_MATCH: u32 = 7;
export const PHASE_END: u32 = 8;
export const PHASE_CORRUPT: u32 = 9;

export const WINDOW_BYTES: u32 = 32768;

// Context layout; the first 64 bytes are the engine's.
const CONTEXT_MAGIC: u32 = 0x4c464e49; // 'INFL'
const AT_MAGIC: usize = 64;
const AT_PHASE: usize = 68;
const AT_FLAGS: usize = 72; // bit 0 last block, bit 1 fixed codes, bits 7:4 reason
const AT_BIT_COUNT: usize = 76;
const AT_BITS: usize = 80;
const AT_STORED_LEFT: usize = 88;
const AT_COUNTS: usize = 92; // nlen, ndist, ncode, have: a byte or two each
const AT_HAVE: usize = 96;
const AT_MATCH: usize = 100; // length, then distance
const AT_WINDOW_FILL: usize = 108;
const AT_WINDOW_NEXT: usize = 112;
const AT_PRECODE: usize = 128;
const AT_LENGTHS: usize = 160;
const AT_WINDOW: usize = 1024;

export let bits: u64 = 0;
export let bitCount: u32 = 0;
export let input: usize = 0;
export let inputStart: usize = 0;
export let inputEnd: usize = 0;
export let output: usize = 0;
export let outputStart: usize = 0;
export let outputEnd: usize = 0;
export let phase: u32 = 0;
export let isLast: bool = false;
export let isFixed: bool = false;
export let reason: u32 = 0;
export let storedLeft: u32 = 0;
export let litlenCodes: u32 = 0;
export let distanceCodes: u32 = 0;
export let precodeCodes: u32 = 0;
export let have: u32 = 0;
export let matchLength: u32 = 0;
export let matchDistance: u32 = 0;
/** Ring of the last output of earlier jobs: its bytes, where the next one goes, how many are valid. */
export let windowStart: usize = 0;
export let windowNext: u32 = 0;
export let windowFill: u32 = 0;

// Setters, because a module may only assign its own globals.
export function setBits(value: u64, count: u32): void {
  bits = value;
  bitCount = count;
}
export function setInput(value: usize): void {
  input = value;
}
export function setOutput(value: usize): void {
  output = value;
}
export function setPhase(value: u32): void {
  phase = value;
}
export function setBlock(last: bool, fixed: bool): void {
  isLast = last;
  isFixed = fixed;
}
export function setStoredLeft(value: u32): void {
  storedLeft = value;
}
export function setCounts(litlen: u32, distance: u32, precode: u32): void {
  litlenCodes = litlen;
  distanceCodes = distance;
  precodeCodes = precode;
}
export function setHave(value: u32): void {
  have = value;
}
export function setMatch(length: u32, distance: u32): void {
  matchLength = length;
  matchDistance = distance;
}
/** Ends the stream for good. @returns the outcome "corrupt" */
export function fail(why: u32): u32 {
  phase = PHASE_CORRUPT;
  reason = why;
  return 4;
}

/** Takes all the input that fits: afterwards fewer than 57 bits means that the input is exhausted. */
export function fill(): void {
  if (inputEnd - input >= 8) {
    bits |= load<u64>(input) << (bitCount as u64);
    input += (63 - bitCount) >> 3;
    bitCount |= 56;
    return;
  }
  while (bitCount <= 55 && input < inputEnd) {
    bits |= (load<u8>(input++) as u64) << (bitCount as u64);
    bitCount += 8;
  }
}

// @inline
export function take(count: u32): void {
  bits >>= count as u64;
  bitCount -= count;
}

/** Clears what `fill` may have left above the valid bits; needed before input is read by anything else. */
export function maskBits(): void {
  bits &= ((<u64>1) << (bitCount as u64)) - 1;
}

/** Gives whole unused bytes back to the input, as far as they came from this job. */
export function giveBack(): void {
  const bytes = min<u32>(bitCount >> 3, (input - inputStart) as u32);
  input -= bytes;
  bitCount -= bytes * 8;
  maskBits();
}

function startStream(): void {
  bits = 0;
  bitCount = 0;
  phase = PHASE_HEADER;
  isLast = false;
  isFixed = false;
  reason = 0;
  windowNext = 0;
  windowFill = 0;
}

export function openStream(source: usize, sourceBytes: u32, destination: usize, destinationBytes: u32): void {
  input = source;
  inputStart = source;
  inputEnd = source + sourceBytes;
  output = destination;
  outputStart = destination;
  outputEnd = destination + destinationBytes;
}

/** @returns false for a context that no stream of ours left there */
export function loadContext(context: usize, isNew: bool): bool {
  windowStart = context + AT_WINDOW;
  startStream();
  if (isNew) return true;
  if (load<u32>(context + AT_MAGIC) !== CONTEXT_MAGIC) return false;
  phase = load<u32>(context + AT_PHASE);
  const flags = load<u32>(context + AT_FLAGS);
  isLast = (flags & 1) !== 0;
  isFixed = (flags & 2) !== 0;
  reason = (flags >> 4) & 15;
  bitCount = load<u32>(context + AT_BIT_COUNT) & 63;
  bits = load<u64>(context + AT_BITS);
  maskBits();
  storedLeft = load<u16>(context + AT_STORED_LEFT);
  litlenCodes = load<u16>(context + AT_COUNTS);
  distanceCodes = load<u8>(context + AT_COUNTS + 2);
  precodeCodes = load<u8>(context + AT_COUNTS + 3);
  have = load<u32>(context + AT_HAVE);
  matchLength = load<u32>(context + AT_MATCH);
  matchDistance = load<u32>(context + AT_MATCH + 4);
  windowFill = load<u32>(context + AT_WINDOW_FILL);
  windowNext = load<u32>(context + AT_WINDOW_NEXT) & (WINDOW_BYTES - 1);
  copyMasked(scratch + PRECODE_LENGTHS, context + AT_PRECODE, 32, 7);
  copyMasked(scratch + CODE_LENGTHS, context + AT_LENGTHS, 336, 15);
  return (
    phase <= PHASE_CORRUPT &&
    windowFill <= WINDOW_BYTES &&
    litlenCodes <= 286 &&
    distanceCodes <= 30 &&
    precodeCodes <= 19 &&
    have <= 316 &&
    matchLength <= 258 &&
    (phase !== PHASE_MATCH || (matchDistance > 0 && matchDistance <= windowFill))
  );
}

/** Copies code lengths and keeps each in its range. */
function copyMasked(to: usize, from: usize, bytes: usize, mask: u8): void {
  const masks = i8x16.splat(mask);
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, v128.and(v128.load(from + at), masks));
}

export function saveContext(context: usize): void {
  store<u32>(context + AT_MAGIC, CONTEXT_MAGIC);
  store<u32>(context + AT_PHASE, phase);
  store<u32>(context + AT_FLAGS, (isLast as u32) | ((isFixed as u32) << 1) | (reason << 4));
  store<u32>(context + AT_BIT_COUNT, bitCount);
  store<u64>(context + AT_BITS, bits);
  store<u32>(context + AT_STORED_LEFT, storedLeft);
  store<u16>(context + AT_COUNTS, litlenCodes);
  store<u8>(context + AT_COUNTS + 2, distanceCodes);
  store<u8>(context + AT_COUNTS + 3, precodeCodes);
  store<u32>(context + AT_HAVE, have);
  store<u32>(context + AT_MATCH, matchLength);
  store<u32>(context + AT_MATCH + 4, matchDistance);
  if (phase !== PHASE_END && phase !== PHASE_CORRUPT) keepWindow();
  store<u32>(context + AT_WINDOW_FILL, windowFill);
  store<u32>(context + AT_WINDOW_NEXT, windowNext);
  memory.copy(context + AT_PRECODE, scratch + PRECODE_LENGTHS, 32);
  memory.copy(context + AT_LENGTHS, scratch + CODE_LENGTHS, 336);
}

/** Where the stream stands: bits held at 7:0, bit 8 inside the last block, bit 9 inside a block's header. */
export function positionWord(): u32 {
  const isInHeader = phase !== PHASE_STORED && phase < PHASE_SYMBOLS;
  return bitCount | ((isLast as u32) << 8) | ((isInHeader as u32) << 9);
}

/** Appends this job's output to the ring, of which a later job may copy. */
function keepWindow(): void {
  const produced = (output - outputStart) as u32;
  const kept = min(produced, WINDOW_BYTES);
  const first = min(kept, WINDOW_BYTES - windowNext);
  memory.copy(windowStart + windowNext, output - kept, first);
  memory.copy(windowStart, output - kept + first, kept - first);
  windowNext = (windowNext + kept) & (WINDOW_BYTES - 1);
  windowFill = min(windowFill + kept, WINDOW_BYTES);
}

/** Copies a match that starts in earlier jobs' output; the caller has checked distance and room. */
export function copyFromWindow(to: usize, distance: u32, length: u32): void {
  const before = distance - ((to - outputStart) as u32); // bytes of the match's reach that lie in the ring
  let at = (windowNext - before) & (WINDOW_BYTES - 1);
  let left = length;
  for (let i = min(before, length); i > 0; i--) {
    store<u8>(to++, load<u8>(windowStart + at));
    at = (at + 1) & (WINDOW_BYTES - 1);
    left--;
  }
  for (; left > 0; left--, to++) store<u8>(to, load<u8>(to - distance));
}
