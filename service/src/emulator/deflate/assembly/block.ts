/** Turns a block's tokens into bits: chooses stored, fixed or dynamic codes by their exact cost (RFC 1951 section 3.2.3). */
import * as w from './bit-writer';
import { encodeTokens, makeEncodeTables } from './encode';
import { buildCodes, buildLengths } from './huffman';
import {
  DISTANCE_EXTRA,
  ENCODE_DISTANCE,
  ENCODE_LITLEN,
  FIXED_ENCODE_DISTANCE,
  FIXED_ENCODE_LITLEN,
  LENGTH_EXTRA,
  PRECODE_CODE,
  PRECODE_COUNT,
  PRECODE_ITEMS,
  PRECODE_LENGTH,
  PRECODE_ORDER,
  SYMBOL_CODE,
  SYMBOL_COUNT,
  SYMBOL_LENGTH,
  scratch,
} from './layout';

const STORED_MAX: u32 = 65535;
const DISTANCE_SYMBOLS: usize = 288; // where the distance alphabet starts in the SYMBOL_* tables

/** Stored bytes that no block holds yet: neighbours are merged, so that a header is paid once per 65535 bytes. */
let pendingStart: usize = 0;
let pendingBytes: u32 = 0;

export function initBlocks(): void {
  const lengths = scratch + SYMBOL_LENGTH;
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
  memory.fill(lengths + DISTANCE_SYMBOLS, 5, 32);
  buildCodes(lengths, 288, scratch + SYMBOL_CODE);
  buildCodes(lengths + DISTANCE_SYMBOLS, 32, scratch + SYMBOL_CODE + DISTANCE_SYMBOLS * 2);
  makeEncodeTables(scratch + FIXED_ENCODE_LITLEN, scratch + FIXED_ENCODE_DISTANCE);
}

export function openBlocks(): void {
  pendingBytes = 0;
}

/** Bits of all extra fields, the same for fixed and dynamic codes. */
function extraCost(): u64 {
  const counts = scratch + SYMBOL_COUNT;
  let cost: u64 = 0;
  for (let i: usize = 0; i < 29; i++) {
    cost += (load<u32>(counts + (257 + i) * 4) as u64) * (load<u8>(scratch + LENGTH_EXTRA + i) as u64);
  }
  for (let i: usize = 0; i < 30; i++) {
    const count = load<u32>(counts + (DISTANCE_SYMBOLS + i) * 4) as u64;
    cost += count * (load<u8>(scratch + DISTANCE_EXTRA + i) as u64);
  }
  return cost;
}

function dynamicCost(): u64 {
  const counts = scratch + SYMBOL_COUNT;
  const lengths = scratch + SYMBOL_LENGTH;
  let cost: u64 = 0;
  for (let i: usize = 0; i < 320; i++) {
    cost += (load<u32>(counts + i * 4) as u64) * (load<u8>(lengths + i) as u64);
  }
  return cost;
}

function fixedCost(): u64 {
  const counts = scratch + SYMBOL_COUNT;
  let cost: u64 = 0;
  for (let i: usize = 0; i < 286; i++) {
    const bits: u64 = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    cost += (load<u32>(counts + i * 4) as u64) * bits;
  }
  for (let i: usize = DISTANCE_SYMBOLS; i < DISTANCE_SYMBOLS + 30; i++) {
    cost += (load<u32>(counts + i * 4) as u64) * 5;
  }
  return cost;
}

let litlenCodes: u32 = 0;
let distanceCodes: u32 = 0;
let precodeCodes: u32 = 0;
let precodeItems: u32 = 0;

/** Lays out HLIT, HDIST, HCLEN and the run-length coded lengths. @returns their bits */
function makeHeader(): u32 {
  const lengths = scratch + SYMBOL_LENGTH;
  litlenCodes = 286;
  while (litlenCodes > 257 && load<u8>(lengths + litlenCodes - 1) === 0) litlenCodes--;
  distanceCodes = 30;
  while (distanceCodes > 1 && load<u8>(lengths + DISTANCE_SYMBOLS + distanceCodes - 1) === 0) distanceCodes--;
  const counts = scratch + PRECODE_COUNT;
  memory.fill(counts, 0, 80);
  precodeItems = 0;
  // The two sequences are one for the run lengths (RFC 1951 section 3.2.7).
  const total = litlenCodes + distanceCodes;
  let at: u32 = 0;
  let last: u32 = 99;
  while (at < total) {
    const bits = lengthAt(at);
    let run: u32 = 1;
    while (at + run < total && lengthAt(at + run) === bits) run++;
    at += run;
    if (bits === 0) {
      while (run >= 11) {
        const part = min<u32>(run, 138);
        addItem(18, part - 11);
        run -= part;
      }
      if (run >= 3) {
        addItem(17, run - 3);
        run = 0;
      }
    } else {
      if (last !== bits) {
        addItem(bits, 0);
        run--;
      }
      while (run >= 3) {
        const part = min<u32>(run, 6);
        addItem(16, part - 3);
        run -= part;
      }
    }
    for (; run > 0; run--) addItem(bits, 0);
    last = bits;
  }
  buildLengths(counts, 19, 7, scratch + PRECODE_LENGTH);
  buildCodes(scratch + PRECODE_LENGTH, 19, scratch + PRECODE_CODE);
  precodeCodes = 19;
  while (precodeCodes > 4) {
    const symbol: usize = load<u8>(scratch + PRECODE_ORDER + precodeCodes - 1);
    if (load<u8>(scratch + PRECODE_LENGTH + symbol) !== 0) break;
    precodeCodes--;
  }
  let cost: u32 = 14 + precodeCodes * 3;
  for (let symbol: usize = 0; symbol < 19; symbol++) {
    const extra: u32 = symbol < 16 ? 0 : symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
    cost += load<u32>(counts + symbol * 4) * (load<u8>(scratch + PRECODE_LENGTH + symbol) + extra);
  }
  return cost;
}

// @inline
function lengthAt(at: u32): u32 {
  const index = at < litlenCodes ? (at as usize) : DISTANCE_SYMBOLS + at - litlenCodes;
  return load<u8>(scratch + SYMBOL_LENGTH + index);
}

// @inline
function addItem(symbol: u32, extra: u32): void {
  store<u16>(scratch + PRECODE_ITEMS + precodeItems * 2, symbol | (extra << 8));
  precodeItems++;
  const slot = scratch + PRECODE_COUNT + symbol * 4;
  store<u32>(slot, load<u32>(slot) + 1);
}

function writeHeader(): void {
  w.putBits((litlenCodes - 257) | ((distanceCodes - 1) << 5) | ((precodeCodes - 4) << 10), 14);
  for (let i: u32 = 0; i < precodeCodes; i++) {
    const symbol: usize = load<u8>(scratch + PRECODE_ORDER + i);
    w.putBits(load<u8>(scratch + PRECODE_LENGTH + symbol), 3);
  }
  for (let i: u32 = 0; i < precodeItems; i++) {
    const item: u32 = load<u16>(scratch + PRECODE_ITEMS + i * 2);
    const symbol = item & 255;
    const bits: u32 = load<u8>(scratch + PRECODE_LENGTH + symbol);
    const extra: u32 = symbol < 16 ? 0 : symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
    const code: u32 = load<u16>(scratch + PRECODE_CODE + symbol * 2);
    w.putBits(code | ((item >> 8) << bits), bits + extra);
  }
}

/** Writes what is pending as stored blocks. @returns false when it does not fit */
export function flushStored(isLast: bool): bool {
  while (pendingBytes > 0) {
    const part = min(pendingBytes, STORED_MAX);
    if (!writeStored(pendingStart, part, isLast && part === pendingBytes)) return false;
    pendingStart += part;
    pendingBytes -= part;
  }
  return true;
}

function writeStored(from: usize, bytes: u32, isLast: bool): bool {
  const padding: u64 = -(w.bitCount + 3) & 7;
  if (!w.hasRoom(3 + padding + 32 + (bytes as u64) * 8)) return false;
  w.putBits(isLast as u32, 3);
  w.alignToByte();
  w.putBits(bytes | ((bytes ^ 0xffff) << 16), 32);
  w.putBytes(from, bytes);
  return true;
}

/** The byte-aligned empty stored block that ends every job which is not its stream's last. */
export function writeSyncFlush(): bool {
  return flushStored(false) && writeStored(0, 0, false);
}

/** Puts source bytes into stored blocks, without tokens. */
export function addStored(from: usize, bytes: u32): void {
  if (pendingBytes === 0) pendingStart = from;
  pendingBytes += bytes;
}

export function hasPending(): bool {
  return pendingBytes > 0;
}

/**
 * Writes the open block: its tokens, and the source bytes that they stand for should stored be cheaper.
 * @returns false when it does not fit
 */
export function writeBlock(tokens: usize, tokenEnd: usize, from: usize, bytes: u32, isLast: bool): bool {
  const counts = scratch + SYMBOL_COUNT;
  const lengths = scratch + SYMBOL_LENGTH;
  buildLengths(counts, 286, 15, lengths);
  buildLengths(counts + DISTANCE_SYMBOLS * 4, 30, 15, lengths + DISTANCE_SYMBOLS);
  const extra = extraCost();
  const header = makeHeader();
  const dynamic = dynamicCost() + extra + (header as u64);
  const fixed = fixedCost() + extra;
  const stored = ((bytes as u64) + 5) * 8;
  if (stored <= min(dynamic, fixed)) {
    addStored(from, bytes);
    return !isLast || flushStored(true);
  }
  if (!flushStored(false)) return false;
  if (!w.hasRoom(3 + min(dynamic, fixed))) return false;
  if (fixed <= dynamic) {
    w.putBits((isLast as u32) | 2, 3);
    encodeTokens(tokens, tokenEnd, scratch + FIXED_ENCODE_LITLEN, scratch + FIXED_ENCODE_DISTANCE);
    w.putBits(0, 7);
    return true;
  }
  w.putBits((isLast as u32) | 4, 3);
  writeHeader();
  buildCodes(lengths, 286, scratch + SYMBOL_CODE);
  buildCodes(lengths + DISTANCE_SYMBOLS, 30, scratch + SYMBOL_CODE + DISTANCE_SYMBOLS * 2);
  makeEncodeTables(scratch + ENCODE_LITLEN, scratch + ENCODE_DISTANCE);
  encodeTokens(tokens, tokenEnd, scratch + ENCODE_LITLEN, scratch + ENCODE_DISTANCE);
  w.putBits(load<u16>(scratch + SYMBOL_CODE + 512), load<u8>(lengths + 256));
  return true;
}
