/**
 * `npm run bench:codec`: the engine cores against node:zlib, in turns in one run. Every round times the baseline and
 * then each core over the same pieces; the figures are medians over the rounds, and "×" is the median of the rounds'
 * own quotients, so that noise of the machine hits both sides. Every output is checked by an independent decoder
 * before anything is timed.
 */
import { parseArgs } from 'node:util';
import { deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import type { DeflateCore } from '../src/emulator/deflate/core.ts';
import { createWasmCore, WASM_SCRATCH_BYTES } from '../src/emulator/deflate/wasm-core.ts';
import { DENSE_FAMILIES, type Family, familyData, piecesOf, TEXT_FAMILIES } from './corpus.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    levels: { type: 'string', default: '1,6,9' },
    sizes: { type: 'string', default: '2048,65536,1048576' },
    families: { type: 'string', default: [...TEXT_FAMILIES, ...DENSE_FAMILIES].join() },
    operations: { type: 'string', default: 'compress,decompress' },
    cores: { type: 'string', default: 'wasm,isal' },
    'round-ms': { type: 'string', default: '25' },
  },
});

const ROUNDS = Number(options.rounds);
const ROUND_MS = Number(options['round-ms']);
const MEMORY_PAGES = 1024;
const CONTEXT = 0x100000;
const SOURCE = 0x200000;
const DESTINATION = 0x1000000;
const WINDOW_BYTES = 32768;

interface Row {
  operation: 'compress' | 'decompress';
  family: Family;
  bytes: number;
  level: number;
  core: string;
  /** Uncompressed bytes per second. */
  bytesPerSec: number;
  zlibBytesPerSec: number;
  speedup: number;
  /** Uncompressed ÷ compressed bytes. */
  ratio: number;
  zlibRatio: number;
}

const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES, shared: true });
const heap = new Uint8Array(memory.buffer);

async function loadCores(): Promise<DeflateCore[]> {
  const wanted = options.cores.split(',');
  const cores: DeflateCore[] = [];
  if (wanted.includes('wasm')) {
    cores.push(createWasmCore({ memory, scratch: { offset: 0, bytes: WASM_SCRATCH_BYTES } }));
  }
  if (wanted.includes('isal')) {
    try {
      const { createIsalCore } = await import('../src/emulator/deflate/isal-core.ts');
      cores.push(createIsalCore(memory));
    } catch (error) {
      console.error(`isal core left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return cores;
}

interface Placed {
  piece: Buffer;
  packed: Buffer;
  offset: number;
}

/** Lays the pieces out in shared memory, as clients' buffers are. */
function place(pieces: readonly Buffer[], pack: (piece: Buffer) => Buffer): Placed[] {
  let offset = SOURCE;
  return pieces.map((piece) => {
    const packed = pack(piece);
    const placed = { piece, packed, offset };
    offset += Math.max(piece.length, packed.length);
    return placed;
  });
}

function compressWith(core: DeflateCore, offset: number, bytes: number, level: number): number {
  const result = core.deflate({
    level,
    windowBytes: WINDOW_BYTES,
    isFinal: true,
    checksum: 'crc32',
    checksumSeed: 0,
    source: { offset, bytes },
    destination: { offset: DESTINATION, bytes: bytes + 4096 },
  });
  if (result.outcome !== 'done') throw new Error(`${core.name} level ${level}: ${result.outcome}`);
  return result.produced;
}

function decompressWith(core: DeflateCore, offset: number, bytes: number, capacity: number): number {
  const result = core.inflate({
    checksum: 'crc32',
    checksumSeed: 0,
    source: { offset, bytes },
    destination: { offset: DESTINATION, bytes: capacity },
    context: CONTEXT,
    isNew: true,
  });
  if (result instanceof Promise) throw new Error(`${core.name} inflates asynchronously`);
  if (result.outcome !== 'end') throw new Error(`${core.name}: ${result.outcome} ${result.reason ?? ''}`);
  return result.produced;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Seconds of one call, over as many calls as fill the time of a round. */
function secondsOf(work: () => void, calls: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) work();
  return Number(process.hrtime.bigint() - start) / 1e9 / calls;
}

function callsFor(work: () => void): number {
  work();
  return Math.max(1, Math.round(ROUND_MS / 1e3 / secondsOf(work, 1)));
}

/** Baseline and cores in turns. @returns for each of `works` its seconds and how many times faster than the first */
function race(works: readonly (() => void)[]): { seconds: number; speedup: number }[] {
  const calls = works.map(callsFor);
  const rounds = Array.from({ length: ROUNDS }, () => works.map((work, i) => secondsOf(work, calls[i] ?? 1)));
  return works.map((_, i) => ({
    seconds: median(rounds.map((round) => round[i] ?? 0)),
    speedup: median(rounds.map((round) => (round[0] ?? 0) / (round[i] ?? 1))),
  }));
}

const totalBytes = (buffers: readonly Buffer[]): number => buffers.reduce((sum, b) => sum + b.length, 0);

function compressRows(cores: readonly DeflateCore[], family: Family, pieces: Buffer[], level: number): Row[] {
  const placed = place(pieces, (piece) => piece);
  for (const { piece, offset } of placed) heap.set(piece, offset);
  const able = cores.filter((core) => core.name === 'wasm' || level <= 3);
  const packedBytes = able.map((core) =>
    placed.reduce((sum, { piece, offset }) => {
      const produced = compressWith(core, offset, piece.length, level);
      const back = inflateRawSync(heap.slice(DESTINATION, DESTINATION + produced));
      if (!back.equals(piece)) throw new Error(`${core.name} level ${level}: node:zlib decodes other bytes`);
      return sum + produced;
    }, 0),
  );
  const times = race([
    () => {
      for (const piece of pieces) gzipSync(piece, { level });
    },
    ...able.map((core) => () => {
      for (const { piece, offset } of placed) compressWith(core, offset, piece.length, level);
    }),
  ]);
  const bytes = totalBytes(pieces);
  const zlibBytes = totalBytes(pieces.map((piece) => deflateRawSync(piece, { level })));
  return able.map((core, i) => ({
    operation: 'compress',
    family,
    bytes: pieces[0]?.length ?? 0,
    level,
    core: core.name,
    bytesPerSec: bytes / (times[i + 1]?.seconds ?? 1),
    zlibBytesPerSec: bytes / (times[0]?.seconds ?? 1),
    speedup: times[i + 1]?.speedup ?? 0,
    ratio: bytes / (packedBytes[i] ?? 1),
    zlibRatio: bytes / zlibBytes,
  }));
}

function decompressRows(cores: readonly DeflateCore[], family: Family, pieces: Buffer[]): Row[] {
  const level = 6;
  const placed = place(pieces, (piece) => deflateRawSync(piece, { level }));
  for (const { packed, offset } of placed) heap.set(packed, offset);
  for (const core of cores) {
    for (const { piece, packed, offset } of placed) {
      const produced = decompressWith(core, offset, packed.length, piece.length);
      const back = Buffer.from(heap.slice(DESTINATION, DESTINATION + produced));
      if (!back.equals(piece)) throw new Error(`${core.name}: inflates to other bytes`);
    }
  }
  const zipped = pieces.map((piece) => gzipSync(piece, { level }));
  const times = race([
    () => {
      for (const member of zipped) gunzipSync(member);
    },
    ...cores.map((core) => () => {
      for (const { piece, packed, offset } of placed) {
        decompressWith(core, offset, packed.length, piece.length);
      }
    }),
  ]);
  const bytes = totalBytes(pieces);
  const ratio = bytes / totalBytes(placed.map(({ packed }) => packed));
  return cores.map((core, i) => ({
    operation: 'decompress',
    family,
    bytes: pieces[0]?.length ?? 0,
    level,
    core: core.name,
    bytesPerSec: bytes / (times[i + 1]?.seconds ?? 1),
    zlibBytesPerSec: bytes / (times[0]?.seconds ?? 1),
    speedup: times[i + 1]?.speedup ?? 0,
    ratio,
    zlibRatio: ratio,
  }));
}

const isText = (row: Row): boolean => (TEXT_FAMILIES as readonly string[]).includes(row.family);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const megabytes = (bytesPerSec: number): string => (bytesPerSec / 1e6).toFixed(0);

function printTable(rows: readonly Row[]): void {
  console.log('| operation | level | bytes | family | core | MB/s | zlib MB/s | × | ratio | zlib ratio |');
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  const line = (row: Row, name: string): void =>
    console.log(
      `| ${row.operation} | ${row.level} | ${row.bytes} | ${name} | ${row.core} | ${megabytes(row.bytesPerSec)} | ` +
        `${megabytes(row.zlibBytesPerSec)} | ${row.speedup.toFixed(2)} | ${row.ratio.toFixed(3)} | ${row.zlibRatio.toFixed(3)} |`,
    );
  for (const row of rows) line(row, row.family);
  const groups = new Map<string, Row[]>();
  for (const row of rows.filter(isText)) {
    const group = groups.get(groupKey(row));
    if (group === undefined) groups.set(groupKey(row), [row]);
    else group.push(row);
  }
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined || group.length < 2) continue;
    line(
      {
        ...first,
        bytesPerSec: mean(group.map((row) => row.bytesPerSec)),
        zlibBytesPerSec: mean(group.map((row) => row.zlibBytesPerSec)),
        speedup: mean(group.map((row) => row.speedup)),
        ratio: mean(group.map((row) => row.ratio)),
        zlibRatio: mean(group.map((row) => row.zlibRatio)),
      },
      `**mean of ${group.length}, least × ${Math.min(...group.map((row) => row.speedup)).toFixed(2)}**`,
    );
  }
}

const groupKey = (row: Row): string => [row.operation, row.level, row.bytes, row.core].join();

const cores = await loadCores();
const rows: Row[] = [];
for (const family of options.families.split(',') as Family[]) {
  const data = familyData(family);
  for (const bytes of options.sizes.split(',').map(Number)) {
    const pieces = piecesOf(data, bytes, bytes <= 4096 ? 64 : bytes <= 131072 ? 12 : 1);
    if (options.operations.includes('decompress')) rows.push(...decompressRows(cores, family, pieces));
    if (!options.operations.split(',').includes('compress')) continue;
    for (const level of options.levels.split(',').map(Number)) {
      rows.push(...compressRows(cores, family, pieces, level));
    }
  }
}
for (const core of cores) core.dispose();
rows.sort((a, b) => groupKey(a).localeCompare(groupKey(b), 'en', { numeric: true }));
if (options.json) console.log(JSON.stringify({ node: process.version, rounds: ROUNDS, rows }, null, 2));
else printTable(rows);
