/** One DEFLATE job: parse, cut into blocks, write. */
import * as w from './bit-writer';
import {
  addStored,
  flushStored,
  hasPending,
  initBlocks,
  openBlocks,
  writeBlock,
  writeSyncFlush,
} from './block';
import { checksum } from './checksum';
import { clearRawCounts, foldRawCounts, isSplitWorthwhile, joinChunk, startBlockWithChunk } from './chunk';
import { initCosts, updateCosts } from './costs';
import { denseBytes, openDense } from './dense';
import { RESULT, scratch, TOKEN_CAPACITY, TOKENS } from './layout';
import * as m from './match';
import { adaptFast, noteHistory, openFast, parseFast } from './parse-fast';
import { adaptLazy, insertHistory, parseLazy, tuneLazy } from './parse-lazy';

const DONE: u32 = 1;
const OUTPUT_FULL: u32 = 3;
/** Bytes of a chunk's tokens: short chunks find better block borders, and each costs what 100 to 200 tokens do. */
const CHUNK_BYTES: usize = 1024 * 4;
const CHUNK_BYTES_FAST: usize = 4096 * 4;
const BLOCK_TOKENS: usize = 65536;

export function initDeflate(): void {
  initBlocks();
  initCosts();
}

const FASTEST_LAZY: u32 = 4;

function parse(level: u32, at: usize, tokenLimit: usize): usize {
  return level < FASTEST_LAZY ? parseFast(at, tokenLimit) : parseLazy(at, tokenLimit);
}

function tune(level: u32): void {
  if (level === 4) tuneLazy(4, 4, 24, 4);
  else if (level === 5) tuneLazy(8, 8, 40, 8);
  else if (level === 6) tuneLazy(9, 20, 72, 12);
  else if (level === 7) tuneLazy(40, 40, 128, 12);
  else if (level === 8) tuneLazy(128, 128, 258, 13);
  else if (level === 9) tuneLazy(400, 400, 258, 14, 8, true);
}

/** @returns 1 done, 3 output full; the rest is in the result words */
export function deflateJob(
  source: usize,
  sourceBytes: u32,
  destination: usize,
  destinationBytes: u32,
  level: u32,
  windowBytes: u32,
  isFinal: bool,
  checksumKind: u32,
  checksumSeed: u32,
  historyBytes: u32,
  continues: bool,
): u32 {
  const sum = checksum(checksumKind, checksumSeed, source, sourceBytes);
  w.openOutput(destination, destinationBytes);
  openBlocks();
  m.openSource(source, sourceBytes, windowBytes, historyBytes, continues);
  openFast(level, continues);
  tune(level);
  openDense(level < FASTEST_LAZY || historyBytes === 0 ? 0 : source);
  if (historyBytes > 0 && sourceBytes >= 8) {
    if (level < FASTEST_LAZY) noteHistory(source);
    else insertHistory(source);
  }
  const isDone = writeAll(source, level, isFinal);
  store<u32>(scratch + RESULT, isDone ? ((w.output - destination) as u32) : 0);
  store<u32>(scratch + RESULT + 4, isDone ? sourceBytes : 0);
  store<u32>(scratch + RESULT + 8, sum);
  return isDone ? DONE : OUTPUT_FULL;
}

/** The last block of a job whose data was stored, or of one without data. */
function startEmptyBlock(): void {
  clearRawCounts();
  foldRawCounts();
  startBlockWithChunk();
}

function writeAll(source: usize, level: u32, isFinal: bool): bool {
  const tokens = scratch + TOKENS;
  const end = m.sourceEnd;
  let at = source;
  let blockFrom = source;
  const chunkBytes = level < FASTEST_LAZY ? CHUNK_BYTES_FAST : CHUNK_BYTES;
  m.setTokenEnd(tokens);
  while (at < end) {
    const dense = denseBytes(at, level >= FASTEST_LAZY);
    if (dense > 0) {
      if (m.tokenEnd > tokens) {
        if (!writeBlock(tokens, m.tokenEnd, blockFrom, (at - blockFrom) as u32, false)) return false;
        m.setTokenEnd(tokens);
      }
      addStored(at, dense);
      at += dense;
      m.setInsertedEnd(at);
      blockFrom = at;
      continue;
    }
    const chunk = m.tokenEnd;
    const chunkFrom = at;
    clearRawCounts();
    at = parse(level, at, chunk + chunkBytes);
    adaptFast((at - chunkFrom) as u32, ((m.tokenEnd - chunk) >> 2) as u32);
    adaptLazy((at - chunkFrom) as u32, ((m.tokenEnd - chunk) >> 2) as u32);
    foldRawCounts();
    if (chunk === tokens) {
      startBlockWithChunk();
      if (level >= FASTEST_LAZY && at < end) updateCosts();
      continue;
    }
    if (m.tokenEnd - tokens <= BLOCK_TOKENS * 4 && !isSplitWorthwhile()) {
      joinChunk();
      if (level >= FASTEST_LAZY && at < end) updateCosts();
      continue;
    }
    if (!writeBlock(tokens, chunk, blockFrom, (chunkFrom - blockFrom) as u32, false)) return false;
    const bytes = m.tokenEnd - chunk;
    memory.copy(tokens, chunk, bytes);
    m.setTokenEnd(tokens + bytes);
    blockFrom = chunkFrom;
    startBlockWithChunk();
    if (level >= FASTEST_LAZY && at < end) updateCosts();
  }
  if (m.tokenEnd === tokens && hasPending()) {
    if (!flushStored(isFinal)) return false;
  } else if (isFinal || m.tokenEnd > tokens) {
    if (m.tokenEnd === tokens) startEmptyBlock();
    if (!writeBlock(tokens, m.tokenEnd, blockFrom, (end - blockFrom) as u32, isFinal)) return false;
  }
  if (!isFinal) return writeSyncFlush();
  w.alignToByte();
  return true;
}
