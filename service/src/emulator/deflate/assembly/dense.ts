/**
 * Finds stretches that no parser can shorten (random, encrypted or compressed data), so that they are stored without
 * being parsed. A stretch is dense if a sample of its bytes is as flat as chance makes it and next to no sampled
 * position has a match.
 */
import { SORT_COUNT, scratch } from './layout';
import * as m from './match';
import { note, noteHistory, probe } from './parse-fast';
import { insert } from './parse-lazy';

/** Bytes judged, and stored, at a time. */
const STRETCH: u32 = 8192;
/** Shorter stretches are cheaper to parse than to judge. */
const SHORTEST_DENSE: u32 = 1024;
const FEW_SAMPLES: u32 = 256;
const MANY_SAMPLES: u32 = 1024;

/** Where the history ends that the fast parser's table does not know yet; 0: none. */
let unknownHistory: usize = 0;

/** @param historyEnd of a job whose parser has no use for that table: the history comes in with the first flat stretch */
export function openDense(historyEnd: usize): void {
  unknownHistory = historyEnd;
}

/**
 * Sum of the squared counts of `samples` bytes, spread over the stretch at odd steps so that records of even length
 * do not hide. Flat data has samples + samples² / 256, with a deviation of about samples / 11.
 */
function squaredCounts(from: usize, bytes: u32, samples: u32): u32 {
  const counts = scratch + SORT_COUNT;
  const step = max<u32>(1, bytes / samples - (~(bytes / samples) & 1));
  memory.fill(counts, 0, 1024);
  let at = from;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < samples; i++) {
    const slot = counts + ((load<u8>(at) as usize) << 2);
    const count = load<u32>(slot);
    sum += 2 * count + 1; // (count + 1)² − count²
    store<u32>(slot, count + 1);
    at += step;
  }
  return sum;
}

// @inline
function isFlat(from: usize, bytes: u32, samples: u32): bool {
  const expected = samples + ((samples * samples) >> 8);
  return squaredCounts(from, bytes, samples) < expected + samples / 2;
}

/** Every fourth position goes into the fast parser's table, and of every 64 four neighbours look for a match. */
function hasMatches(from: usize, bytes: u32): bool {
  const end = from + bytes - 72;
  let found: u32 = 0;
  for (let at = from; at < end; ) {
    found += probe(at + 1) + probe(at + 2) + probe(at + 3) + probe(at + 4);
    for (const next = at + 64; at < next; at += 4) note(at);
  }
  return found > bytes >> 9;
}

/** @returns how many bytes from `at` on are better stored unparsed; 0 for ordinary data */
export function denseBytes(at: usize, isLazy: bool): u32 {
  const bytes = min<u32>(STRETCH, (m.sourceEnd - at) as u32);
  if (bytes < SHORTEST_DENSE) return 0;
  if (!isFlat(at, bytes, FEW_SAMPLES) || !isFlat(at, bytes, min(MANY_SAMPLES, bytes))) return 0;
  if (unknownHistory > 0) noteHistory(unknownHistory);
  unknownHistory = 0;
  if (hasMatches(at, bytes)) return 0;
  if (isLazy) for (let next = at; next < at + bytes - 8; next += 4) insert(next);
  return bytes;
}
