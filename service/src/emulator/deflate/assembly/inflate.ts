/** One INFLATE job: a state machine over phases that stops at any bit of input and any byte of output. */
import { checksum } from './checksum';
import { DISTANCE_MASK, END_OF_BLOCK, EXCEPTIONAL, INVALID, LITERAL, LITLEN_MASK } from './decode-table';
import {
  decodeFast,
  FAST_END_OF_BLOCK,
  FAST_INPUT_MARGIN,
  FAST_MARGIN,
  FAST_OUTPUT_MARGIN,
  FAST_WINDOW,
} from './inflate-fast';
import * as h from './inflate-header';
import * as s from './inflate-state';
import { copyStored, readStoredLength } from './inflate-stored';
import { DISTANCE_TABLE, RESULT, scratch } from './layout';

/** A dynamic block that made this much output is worth the packing of its literals. */
const PACK_AFTER_BYTES: usize = 4096;

/** @returns 1 end, 2 more input needed, 3 output full, 4 corrupt; the rest is in the result words */
export function inflateJob(
  source: usize,
  sourceBytes: u32,
  destination: usize,
  destinationBytes: u32,
  context: usize,
  isNew: bool,
  checksumKind: u32,
  checksumSeed: u32,
  windowBytes: u32,
): u32 {
  h.useWindow(windowBytes);
  s.openStream(source, sourceBytes, destination, destinationBytes);
  let outcome: u32 = h.CONTINUE;
  if (!s.loadContext(context, isNew)) outcome = s.fail(h.BAD_CONTEXT);
  else outcome = resume();
  while (outcome === h.CONTINUE) outcome = step();
  // A job that wants more input keeps its bits in the context; any other returns what it did not use.
  if (outcome === h.MORE) s.maskBits();
  else s.giveBack();
  s.saveContext(context);
  const produced = (s.output - destination) as u32;
  store<u32>(scratch + RESULT, produced);
  store<u32>(scratch + RESULT + 4, (s.input - source) as u32);
  store<u32>(scratch + RESULT + 8, checksum(checksumKind, checksumSeed, destination, produced));
  store<u32>(scratch + RESULT + 12, s.reason);
  store<u32>(scratch + RESULT + 16, s.positionWord());
  store<u32>(scratch + RESULT + 20, s.phase === s.PHASE_STORED ? s.storedLeft : 0);
  store<u32>(scratch + RESULT + 24, s.windowFill);
  return outcome;
}

/** Brings back the tables that the phase found in the context needs. */
function resume(): u32 {
  const phase = s.phase;
  if (phase === s.PHASE_CODE_LENGTHS) return h.buildPrecodeTable() ? h.CONTINUE : s.fail(h.BAD_CONTEXT);
  if (phase === s.PHASE_SYMBOLS || phase === s.PHASE_MATCH) {
    if (!s.isFixed) return h.useDynamicTables();
    h.useFixedTables();
  }
  return h.CONTINUE;
}

function step(): u32 {
  switch (s.phase) {
    case s.PHASE_HEADER:
      return h.readHeader();
    case s.PHASE_STORED_LENGTH:
      return readStoredLength();
    case s.PHASE_STORED:
      return copyStored();
    case s.PHASE_CODE_COUNTS:
      return h.readCodeCounts();
    case s.PHASE_PRECODE:
      return h.readPrecode();
    case s.PHASE_CODE_LENGTHS:
      return h.readCodeLengths();
    case s.PHASE_SYMBOLS:
      return decodeSymbols();
    case s.PHASE_MATCH:
      return continueMatch();
    case s.PHASE_END:
      return h.END;
    default:
      return h.CORRUPT;
  }
}

function decodeSymbols(): u32 {
  const blockStart = s.output;
  while (s.inputEnd - s.input >= FAST_INPUT_MARGIN && s.outputEnd - s.output >= FAST_OUTPUT_MARGIN) {
    let limit = s.outputEnd - FAST_OUTPUT_MARGIN;
    if (!h.isPacked) limit = min(limit, blockStart + PACK_AFTER_BYTES);
    const result = decodeFast(limit);
    if (result === FAST_END_OF_BLOCK) return h.endBlock();
    if (result === FAST_WINDOW) {
      const outcome = copyFromWindow();
      if (outcome !== h.CONTINUE) return outcome;
      continue;
    }
    if (result !== FAST_MARGIN) return s.fail(result);
    if (!h.isPacked && s.output > blockStart + PACK_AFTER_BYTES) h.pack();
    else if (s.output <= limit) break; // the input margin
  }
  let outcome: u32 = h.CONTINUE;
  while (outcome === h.CONTINUE && s.phase === s.PHASE_SYMBOLS) outcome = decodeSymbol();
  return outcome;
}

/** The match at hand, of which the fast loop knows that there is room for it. */
function copyFromWindow(): u32 {
  const to = s.output;
  const distance = s.matchDistance;
  if (distance > ((to - s.outputStart) as u32) + s.windowFill) return s.fail(h.DISTANCE_TOO_FAR);
  s.copyFromWindow(to, distance, s.matchLength);
  s.setOutput(to + s.matchLength);
  return h.CONTINUE;
}

/** One literal, match or end of block near an end of input or output; takes all of its bits or none. */
function decodeSymbol(): u32 {
  if (s.bitCount < 48) s.fill();
  const count = s.bitCount;
  let bits = s.bits;
  let taken: u32 = 0;
  let entry = load<u32>(h.tables + (((bits as u32) & LITLEN_MASK) << 2));
  if ((entry & LITERAL) === 0 && (entry & (EXCEPTIONAL | END_OF_BLOCK | INVALID)) === EXCEPTIONAL) {
    taken = entry & 63;
    bits >>= taken as u64;
    entry = subEntry(h.tables, entry, bits as u32);
  }
  if ((entry & LITERAL) !== 0) {
    taken += (entry >> 26) & 15; // of a pair only the first
    if (taken > count) return h.MORE;
    if (s.output === s.outputEnd) return h.OUTPUT_FULL;
    store<u8>(s.output, (entry >> 8) as u8);
    s.setOutput(s.output + 1);
    s.take(taken);
    return h.CONTINUE;
  }
  taken += entry & 63;
  if (taken > count) return h.MORE;
  if ((entry & EXCEPTIONAL) !== 0) {
    if ((entry & INVALID) !== 0) return s.fail(h.BAD_LITLEN_SYMBOL);
    s.take(taken);
    return h.endBlock();
  }
  const length =
    ((entry >> 16) & 511) + (((bits >> (((entry >> 8) & 15) as u64)) as u32) & ((entry >> 25) & 31));
  bits >>= (entry & 63) as u64;
  entry = load<u32>(h.tables + DISTANCE_TABLE + (((bits as u32) & DISTANCE_MASK) << 2));
  if ((entry & (EXCEPTIONAL | INVALID)) === EXCEPTIONAL) {
    taken += entry & 63;
    bits >>= (entry & 63) as u64;
    entry = subEntry(h.tables + DISTANCE_TABLE, entry, bits as u32);
  }
  taken += entry & 63;
  if (taken > count) return h.MORE;
  if ((entry & EXCEPTIONAL) !== 0) return s.fail(h.BAD_DISTANCE_SYMBOL);
  const extra = (bits as u32) & (((1 as u32) << (entry & 63)) - 1);
  const distance = (entry >> 16) + (extra >> ((entry >> 8) & 15));
  if (distance > ((s.output - s.outputStart) as u32) + s.windowFill) return s.fail(h.DISTANCE_TOO_FAR);
  if (s.output === s.outputEnd) return h.OUTPUT_FULL;
  s.take(taken);
  s.setMatch(length, distance);
  return copyMatch();
}

// @inline
function subEntry(table: usize, link: u32, bits: u32): u32 {
  return load<u32>(table + (((link >> 16) + (bits & ((1 << ((link >> 8) & 15)) - 1))) << 2));
}

/** Copies as much of the match at hand as there is room for. */
function copyMatch(): u32 {
  const to = s.output;
  const distance = s.matchDistance;
  const run = min(s.matchLength, (s.outputEnd - to) as u32);
  if (distance > ((to - s.outputStart) as u32)) s.copyFromWindow(to, distance, run);
  else for (let i: u32 = 0; i < run; i++) store<u8>(to + i, load<u8>(to + i - distance));
  s.setOutput(to + run);
  if (run === s.matchLength) {
    s.setPhase(s.PHASE_SYMBOLS);
    return h.CONTINUE;
  }
  s.setMatch(s.matchLength - run, distance);
  s.setPhase(s.PHASE_MATCH);
  return h.OUTPUT_FULL;
}

function continueMatch(): u32 {
  return copyMatch();
}
