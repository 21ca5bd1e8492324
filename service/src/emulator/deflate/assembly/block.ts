/** Turns a block's tokens into bits: chooses stored, fixed or dynamic codes by their exact cost (RFC 1951 section 3.2.3). */
import * as w from './bit-writer';
import { encodeTokens, makeEncodeTables } from './encode';
import { buildCode } from './huffman';
import {
  DISTANCE_EXTRA,
  ENCODE_DISTANCE,
  ENCODE_LITLEN,
  FIXED_ENCODE_DISTANCE,
  FIXED_ENCODE_LITLEN,
  HEADER_LENGTHS,
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
  USED_DISTANCE,
  USED_LITLEN,
  USED_PRECODE,
} from './layout';

const STORED_MAX: u32 = 65535;
const DISTANCE_SYMBOLS: usize = 288; // where the distance alphabet starts in the SYMBOL_* tables
/** Ends the runs of HEADER_LENGTHS: no code is as long. */
const NO_LENGTH: u32 = 255;

/** Stored bytes that no block holds yet: neighbours are merged, so that a header is paid once per 65535 bytes. */
let pendingStart: usize = 0;
let pendingBytes: u32 = 0;

/** The fixed code is what counts of 2^(9 − length) make (RFC 1951 section 3.2.6). */
export function initBlocks(): void {
  const counts = scratch + SYMBOL_COUNT;
  for (let i: usize = 0; i < 288; i++)
    store<u32>(counts + i * 4, i < 144 ? 2 : i < 256 ? 1 : i < 280 ? 4 : 2);
  for (let i: usize = DISTANCE_SYMBOLS; i < 320; i++) store<u32>(counts + i * 4, 1);
  buildBothCodes(288, 32);
  makeEncodeTables(scratch + FIXED_ENCODE_LITLEN, scratch + FIXED_ENCODE_DISTANCE, usedLitlen, usedDistances);
}

let usedLitlen: u32 = 0;
let usedDistances: u32 = 0;

function buildBothCodes(litlenSymbols: u32, distanceSymbols: u32): void {
  const counts = scratch + SYMBOL_COUNT;
  const lengths = scratch + SYMBOL_LENGTH;
  const codes = scratch + SYMBOL_CODE;
  usedLitlen = buildCode(counts, litlenSymbols, 15, lengths, codes, scratch + USED_LITLEN);
  usedDistances = buildCode(
    counts + DISTANCE_SYMBOLS * 4,
    distanceSymbols,
    15,
    lengths + DISTANCE_SYMBOLS,
    codes + DISTANCE_SYMBOLS * 2,
    scratch + USED_DISTANCE,
  );
}

export function openBlocks(): void {
  pendingBytes = 0;
}

let fixedCost: u64 = 0;
let dynamicCost: u64 = 0;

/** Bits of the open block's tokens with either code, extra fields included. */
function addUpCosts(): void {
  const lengths = scratch + SYMBOL_LENGTH;
  fixedCost = 0;
  dynamicCost = 0;
  for (let i: u32 = 0; i < usedLitlen; i++) {
    const item = load<u32>(scratch + USED_LITLEN + i * 4);
    const symbol: usize = item & 511;
    const extra: u32 = symbol > 256 ? load<u8>(scratch + LENGTH_EXTRA + symbol - 257) : 0;
    const fixed: u32 = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    fixedCost += ((item >> 9) * (fixed + extra)) as u64;
    dynamicCost += ((item >> 9) * ((load<u8>(lengths + symbol) as u32) + extra)) as u64;
  }
  for (let i: u32 = 0; i < usedDistances; i++) {
    const item = load<u32>(scratch + USED_DISTANCE + i * 4);
    const symbol: usize = item & 511;
    const extra: u32 = load<u8>(scratch + DISTANCE_EXTRA + symbol);
    fixedCost += ((item >> 9) * (5 + extra)) as u64;
    dynamicCost += ((item >> 9) * ((load<u8>(lengths + DISTANCE_SYMBOLS + symbol) as u32) + extra)) as u64;
  }
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
  // The two sequences are one for the run lengths (RFC 1951 section 3.2.7).
  const total = litlenCodes + distanceCodes;
  const sequence = scratch + HEADER_LENGTHS;
  memory.copy(sequence, lengths, litlenCodes);
  memory.copy(sequence + litlenCodes, lengths + DISTANCE_SYMBOLS, distanceCodes);
  store<u8>(sequence + total, NO_LENGTH);
  const counts = scratch + PRECODE_COUNT;
  memory.fill(counts, 0, 80);
  precodeItems = 0;
  let last: u32 = NO_LENGTH;
  for (let at = sequence; at < sequence + total; ) {
    const bits: u32 = load<u8>(at);
    let run = runLength(at, bits);
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
  buildCode(counts, 19, 7, scratch + PRECODE_LENGTH, scratch + PRECODE_CODE, scratch + USED_PRECODE);
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

/** How many bytes from `at` on are `bits`; eight at a time, as NO_LENGTH ends the last run. */
// @inline
function runLength(at: usize, bits: u32): u32 {
  const eight = (bits as u64) * 0x0101010101010101;
  let run: u32 = 0;
  let difference = load<u64>(at) ^ eight;
  while (difference === 0) {
    run += 8;
    difference = load<u64>(at + run) ^ eight;
  }
  return run + ((ctz(difference) >> 3) as u32);
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
  buildBothCodes(286, 30);
  addUpCosts();
  const dynamic = dynamicCost + (makeHeader() as u64);
  const fixed = fixedCost;
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
  makeEncodeTables(scratch + ENCODE_LITLEN, scratch + ENCODE_DISTANCE, usedLitlen, usedDistances);
  encodeTokens(tokens, tokenEnd, scratch + ENCODE_LITLEN, scratch + ENCODE_DISTANCE);
  w.putBits(load<u16>(scratch + SYMBOL_CODE + 512), load<u8>(scratch + SYMBOL_LENGTH + 256));
  return true;
}
