/**
 * `npm run bench:codec`: the engine cores against node:zlib, in turns in one run. Every round times the baseline and
 * then each core over the same pieces; the figures are medians over the rounds, and "×" is the median of the rounds'
 * own quotients, so that noise of the machine hits both sides. Every output is checked by an independent decoder
 * before anything is timed.
 */
import { parseArgs } from 'node:util';
import { deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import type { DeflateCore } from '../src/emulator/deflate/core.ts';
import { loadCores, openMachine, releaseCores } from './cores.ts';
import { DENSE_FAMILIES, type Family, familyData, piecesOf, TEXT_FAMILIES } from './corpus.ts';
import { mean, type RaceOptions, race } from './race.ts';

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

const RACE: RaceOptions = { rounds: Number(options.rounds), roundMs: Number(options['round-ms']) };

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

const machine = openMachine();

const totalBytes = (buffers: readonly Buffer[]): number => buffers.reduce((sum, b) => sum + b.length, 0);

async function compressRows(
  cores: readonly DeflateCore[],
  family: Family,
  pieces: Buffer[],
  level: number,
): Promise<Row[]> {
  const placed = machine.place(pieces);
  const able = cores.filter((core) => core.name === 'wasm' || level <= 3);
  const packedBytes = able.map((core) =>
    placed.reduce((sum, source, i) => {
      const packed = machine.compress(core, source, level).slice();
      if (!inflateRawSync(packed).equals(pieces[i] ?? packed))
        throw new Error(`${core.name} level ${level}: node:zlib decodes other bytes`);
      return sum + packed.length;
    }, 0),
  );
  const times = await race(
    [
      () => {
        for (const piece of pieces) gzipSync(piece, { level });
      },
      ...able.map((core) => () => {
        for (const source of placed) machine.compress(core, source, level);
      }),
    ],
    RACE,
  );
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

async function decompressRows(
  cores: readonly DeflateCore[],
  family: Family,
  pieces: Buffer[],
): Promise<Row[]> {
  const level = 6;
  const zipped = pieces.map((piece) => gzipSync(piece, { level }));
  const packed = pieces.map((piece) => deflateRawSync(piece, { level }));
  const placed = machine.place(packed);
  for (const core of cores) {
    for (const [i, piece] of pieces.entries()) {
      const source = placed[i];
      if (source && !piece.equals(machine.decompress(core, source, piece.length)))
        throw new Error(`${core.name}: inflates to other bytes`);
    }
  }
  const times = await race(
    [
      () => {
        for (const member of zipped) gunzipSync(member);
      },
      ...cores.map((core) => () => {
        for (const [i, source] of placed.entries()) machine.decompress(core, source, pieces[i]?.length ?? 0);
      }),
    ],
    RACE,
  );
  const bytes = totalBytes(pieces);
  const ratio = bytes / totalBytes(packed);
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

const cores = await loadCores(machine.memory, options.cores.split(','));
const rows: Row[] = [];
for (const family of options.families.split(',') as Family[]) {
  const data = familyData(family);
  for (const bytes of options.sizes.split(',').map(Number)) {
    const pieces = piecesOf(data, bytes, bytes <= 4096 ? 64 : bytes <= 131072 ? 12 : 1);
    if (options.operations.includes('decompress'))
      rows.push(...(await decompressRows(cores, family, pieces)));
    if (!options.operations.split(',').includes('compress')) continue;
    for (const level of options.levels.split(',').map(Number)) {
      rows.push(...(await compressRows(cores, family, pieces, level)));
    }
  }
}
releaseCores(cores);
rows.sort((a, b) => groupKey(a).localeCompare(groupKey(b), 'en', { numeric: true }));
if (options.json) console.log(JSON.stringify({ node: process.version, rounds: RACE.rounds, rows }, null, 2));
else printTable(rows);
