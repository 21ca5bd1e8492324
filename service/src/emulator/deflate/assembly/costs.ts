/**
 * What literals and matches cost in the code that the open block would get, for the lazy parser's choices. In units of
 * 1 / COST_UNIT bit; estimated from the counts of the open block each time a chunk has joined or started it.
 */

import { laneSum } from './checksum';
import { log2x4 } from './chunk';
import {
  COST_DISTANCE,
  COST_LITLEN,
  DISTANCE_EXTRA,
  LENGTH_BASE,
  LENGTH_EXTRA,
  SORT_WORK,
  SYMBOL_COUNT,
  scratch,
  USUAL_COSTS,
} from './layout';

/** Costs in a bit. */
export const COST_UNIT: u32 = 16;
/** Bits of any code in a job's first chunk. */
const USUAL_BITS: u32 = 6;

/** What a literal of the open block costs on average. */
export let usualLiteralCost: u32 = 0;

/** From the costs of an estimate; a block with next to no literals tells nothing. */
function averageLiterals(counts: usize): void {
  let sum = i32x4.splat(0);
  let literals = i32x4.splat(0);
  for (let at: usize = 0; at < 256 * 4; at += 16) {
    const uses = v128.load(counts + at);
    literals = i32x4.add(literals, uses);
    sum = i32x4.add(sum, i32x4.mul(uses, v128.load(scratch + SORT_WORK + at)));
  }
  const n = laneSum(literals);
  if (n >= 64) usualLiteralCost = laneSum(sum) / n;
}

/** −log2 of each symbol's share, as i32 in SORT_WORK. */
function estimate(counts: usize, symbols: usize): void {
  let totals = i32x4.splat(0);
  for (let at: usize = 0; at < symbols * 4; at += 16) totals = i32x4.add(totals, v128.load(counts + at));
  const all = log2x4(f32x4.splat(max<f32>(laneSum(totals) as f32, 1)));
  const unit = f32x4.splat(COST_UNIT as f32);
  // A symbol not seen so far costs one bit more than one seen once.
  const unseen = f32x4.splat(0.5);
  const least = f32x4.splat(1);
  for (let at: usize = 0; at < symbols * 4; at += 16) {
    const floats = f32x4.convert_i32x4_s(v128.load(counts + at));
    const missing = f32x4.lt(floats, unseen);
    let bits = f32x4.sub(all, log2x4(f32x4.max(floats, least)));
    bits = f32x4.add(bits, v128.and(missing, least));
    bits = f32x4.max(bits, least);
    v128.store(scratch + SORT_WORK + at, i32x4.trunc_sat_f32x4_s(f32x4.mul(bits, unit)));
  }
}

function expandDistances(): void {
  for (let symbol: usize = 0; symbol < 30; symbol++) {
    const extra: u32 = load<u8>(scratch + DISTANCE_EXTRA + symbol);
    const cost = load<u32>(scratch + SORT_WORK + symbol * 4) + extra * COST_UNIT;
    store<u16>(scratch + COST_DISTANCE + symbol * 2, cost);
  }
}

function expand(): void {
  const symbols = scratch + SORT_WORK;
  const lengths = scratch + COST_LITLEN + 512;
  for (let at: usize = 0; at < 256; at += 8) {
    v128.store(
      scratch + COST_LITLEN + at * 2,
      i16x8.narrow_i32x4_u(v128.load(symbols + at * 4), v128.load(symbols + at * 4 + 16)),
    );
  }
  for (let symbol: usize = 0; symbol < 29; symbol++) {
    const extra: u32 = load<u8>(scratch + LENGTH_EXTRA + symbol);
    const cost = load<u32>(symbols + (257 + symbol) * 4) + extra * COST_UNIT;
    const first = (load<u16>(scratch + LENGTH_BASE + symbol * 2) as usize) - 3;
    const last = first + (1 << extra);
    for (let at = first; at < last; at++) store<u16>(lengths + at * 2, cost);
  }
}

/** From the counts of the open block. */
export function updateCosts(): void {
  const counts = scratch + SYMBOL_COUNT;
  estimate(counts + 288 * 4, 32);
  expandDistances();
  estimate(counts, 288);
  averageLiterals(counts);
  expand();
}

/** The tables that a job starts with: of every code about the same length. */
export function initCosts(): void {
  const symbols = scratch + SORT_WORK;
  for (let symbol: usize = 0; symbol < 288; symbol++)
    store<u32>(symbols + symbol * 4, USUAL_BITS * COST_UNIT);
  expandDistances();
  expand();
  memory.copy(scratch + USUAL_COSTS, scratch + COST_LITLEN, 1088);
}

export function resetCosts(): void {
  memory.copy(scratch + COST_LITLEN, scratch + USUAL_COSTS, 1088);
  usualLiteralCost = USUAL_BITS * COST_UNIT;
}

// @inline
export function literalCost(at: usize): u32 {
  return load<u16>(scratch + COST_LITLEN + ((load<u8>(at) as usize) << 1));
}

// @inline
export function matchCost(length: u32, distance: u32): u32 {
  const d = distance - 1;
  const top = 31 - clz(d | 2);
  const symbol = d < 2 ? d : (top << 1) + ((d >> (top - 1)) & 1);
  return (
    (load<u16>(scratch + COST_LITLEN + 512 + (((length - 3) as usize) << 1)) as u32) +
    (load<u16>(scratch + COST_DISTANCE + ((symbol as usize) << 1)) as u32)
  );
}
