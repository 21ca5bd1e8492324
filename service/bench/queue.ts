/**
 * `npm run bench:queue`: whole jobs through the queue (codec, library, driver, doorbell, device, engine core) against
 * gzipSync, against the bare core call, and on two engine cores against one. Contestants take turns in one run;
 * every output is decoded by node:zlib before anything is timed. Prints Markdown, or JSON with --json.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { crc32, createGunzip, gunzipSync, gzipSync } from 'node:zlib';
import type { CoreName } from '../../shared/src/telemetry.ts';
import type { Codec } from '../src/codec/codec.ts';
import type { DeflateCore } from '../src/emulator/deflate/core.ts';
import { createHost, type Host, type HostOptions } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import { loadCores, type Machine, openMachine, releaseCores } from './cores.ts';
import { familyData, piecesOf, TEXT_FAMILIES } from './corpus.ts';
import { type RaceResult, race } from './race.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    'round-ms': { type: 'string', default: '150' },
    cores: { type: 'string', default: 'wasm,isal' },
    sections: { type: 'string', default: 'small,overhead,cores,stream' },
    'stream-mib': { type: 'string', default: '256' },
  },
});
const ROUNDS = Number(options.rounds);
const ROUND_MS = Number(options['round-ms']);
const STREAM_BYTES = Number(options['stream-mib']) << 20;
const STREAM_ROUNDS = Math.min(5, ROUNDS);
/** As the HTTP server hands them over. */
const CHUNK_BYTES = 64 << 10;
const IN_FLIGHT = 8;
/** Jobs of one call where two cores work: at the end of each one of them has nothing left to do, which is no steady state. */
const JOBS_A_CALL = 112;
/** Each of their hosts works this long before anything is timed: V8's compiler threads want a CPU too. */
const WARM_UP_MS = 500;
const KIB = 1 << 10;
const MIB = 1 << 20;

interface Row {
  what: string;
  core: CoreName;
  level: number;
  /** Of the baseline and of ours, for one job; of the whole stream. */
  baselineUs: number;
  oursUs: number;
  baselineCpuUs: number;
  oursCpuUs: number;
  /** The figure that the target is about, its meaning and the target. */
  figure: number;
  unit: string;
  target: string;
  /** Only where it is part of the target. */
  ratio?: number;
  serialRatio?: number;
}

const rows: Row[] = [];
const text = TEXT_FAMILIES.map((family) => familyData(family));
const piecesOfAll = (bytes: number, each: number): Buffer[] =>
  text.flatMap((data) => piecesOf(data, bytes, each));

const open = (core: CoreName, cores: number, more: Partial<HostOptions> = {}): Promise<Host> =>
  createHost({ mode: 'sva', core, cores, queues: 4, ...more }, silentLog);

async function compressOnce(codec: Codec, piece: Buffer, level: number): Promise<Uint8Array[]> {
  const { chunks, result } = await codec.compressOnce([piece], { format: 'gzip', level });
  if (result.fallbackReason !== undefined) throw new Error(`software did it: ${result.fallbackReason}`);
  return chunks;
}

async function verifyJobs(codec: Codec, pieces: readonly Buffer[], level: number): Promise<void> {
  for (const piece of pieces) {
    const member = Buffer.concat(await compressOnce(codec, piece, level));
    if (!gunzipSync(member).equals(piece)) throw new Error('node:zlib decodes other bytes');
  }
}

/** `inFlight` clients, each of which waits for its job before it submits the next. */
async function runJobs(
  codec: Codec,
  pieces: readonly Buffer[],
  level: number,
  inFlight: number,
): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    for (let piece = pieces[next++]; piece; piece = pieces[next++]) await compressOnce(codec, piece, level);
  };
  await Promise.all(Array.from({ length: inFlight }, client));
}

/** Jobs whose pieces lie in memory of the accelerator, as a client has them that makes its data there. */
interface InPlace {
  verify(): Promise<void>;
  /** As `runJobs`. @param passes over all pieces */
  run(inFlight: number, passes?: number): Promise<void>;
  close(): void;
}

function placePieces(codec: Codec, pieces: readonly Buffer[], level: number): InPlace {
  const options = { format: 'gzip', level } as const;
  const placed = pieces.map((piece) => {
    const buffer = codec.openJobBuffer(piece.length);
    buffer.input.set(piece);
    return { piece, buffer };
  });
  return {
    async verify() {
      for (const { piece, buffer } of placed) {
        const { bytes, fallbackReason } = await buffer.compress(piece.length, options);
        if (fallbackReason !== undefined) throw new Error(`software did it: ${fallbackReason}`);
        if (!gunzipSync(bytes).equals(piece)) throw new Error('node:zlib decodes other bytes');
      }
    },
    async run(inFlight, passes = 1) {
      const jobs = Array.from({ length: passes }, () => placed).flat();
      let next = 0;
      const client = async (): Promise<void> => {
        for (let at = jobs[next++]; at; at = jobs[next++]) {
          const made = at.buffer.compress(at.piece.length, options);
          if (made instanceof Promise) await made;
        }
      };
      await Promise.all(Array.from({ length: inFlight }, client));
    },
    close() {
      for (const { buffer } of placed) buffer.close();
    },
  };
}

/** One row for each contestant after the first, which is the baseline. */
function addRows(
  jobs: number,
  [baseline, ...ours]: readonly RaceResult[],
  row: Pick<Row, 'core' | 'level' | 'unit' | 'target'>,
  names: readonly string[],
  figureOf: (result: RaceResult) => number,
): void {
  if (!baseline) return;
  const us = 1e6 / jobs;
  for (const [i, result] of ours.entries())
    rows.push({
      ...row,
      what: names[i] ?? '',
      baselineUs: baseline.seconds * us,
      oursUs: result.seconds * us,
      baselineCpuUs: baseline.cpuSeconds * us,
      oursCpuUs: result.cpuSeconds * us,
      figure: figureOf(result),
    });
}

/** 2 KiB jobs, one at a time. */
async function smallJobs(core: CoreName, level: number): Promise<void> {
  const pieces = piecesOfAll(2 * KIB, 16);
  const host = await open(core, 1);
  const placed = placePieces(host.codec, pieces, level);
  await placed.verify();
  await verifyJobs(host.codec, pieces, level);
  const results = await race(
    [
      () => {
        for (const piece of pieces) gzipSync(piece, { level });
      },
      () => placed.run(1),
      () => runJobs(host.codec, pieces, level, 1),
    ],
    { rounds: ROUNDS * 3, roundMs: ROUND_MS / 3 },
  );
  placed.close();
  await host.close();
  addRows(
    pieces.length,
    results,
    { core, level, unit: "of gzipSync's time", target: core === 'isal' ? '≤ 0.5' : '≤ 0.7' },
    ['2 KiB jobs, one at a time, in place', '2 KiB jobs, one at a time, copied in and out'],
    ({ speedup }) => 1 / speedup,
  );
}

/** 64 KiB jobs, one at a time, against the core's own function on the same pieces. */
async function queueOverhead(machine: Machine, bare: DeflateCore, level: number): Promise<void> {
  const pieces = piecesOfAll(64 * KIB, 6);
  const sources = machine.place(pieces);
  const places = machine.placesOf(pieces.length, 64 * KIB);
  const host = await open(bare.name, 1);
  const placed = placePieces(host.codec, pieces, level);
  await placed.verify();
  await verifyJobs(host.codec, pieces, level);
  const results = await race(
    [
      () => {
        for (const [i, source] of sources.entries()) machine.compress(bare, source, level, places[i]);
      },
      () => placed.run(1),
      () => runJobs(host.codec, pieces, level, 1),
    ],
    { rounds: ROUNDS * 3, roundMs: ROUND_MS / 3 },
  );
  placed.close();
  await host.close();
  addRows(
    pieces.length,
    results,
    { core: bare.name, level, unit: '% longer', target: '≤ 8 %' },
    [
      '64 KiB jobs in place; baseline: the bare core call',
      '64 KiB jobs copied in and out; baseline: the bare core call',
    ],
    ({ speedup }) => (1 / speedup - 1) * 100,
  );
}

/** Jobs of `bytes` with several in flight, on a device with two engine cores and on one with one. */
async function twoCores(core: CoreName, bytes: number, level: number, isPlaced: boolean): Promise<void> {
  const different = piecesOfAll(bytes, bytes > 256 * KIB ? 2 : 16);
  const passes = Math.ceil(JOBS_A_CALL / different.length);
  const pieces = Array.from({ length: passes }, () => different).flat();
  // by default jobs up to 64 KiB stay on the caller's thread, which is one core however many clients there are
  const shape = { jobBytes: bytes, inlineBytes: 16 * KIB };
  const hosts = [await open(core, 1, shape), await open(core, 2, shape)];
  const placed = isPlaced ? hosts.map(({ codec }) => placePieces(codec, different, level)) : [];
  for (const { codec } of hosts) if (!isPlaced) await verifyJobs(codec, different, level);
  for (const one of placed) await one.verify();
  const works = hosts.map(
    ({ codec }, i) =>
      () =>
        placed[i]?.run(IN_FLIGHT, passes) ?? runJobs(codec, pieces, level, IN_FLIGHT),
  );
  for (const work of works)
    for (const until = performance.now() + WARM_UP_MS; performance.now() < until; ) await work();
  const results = await race(works, { rounds: ROUNDS, roundMs: ROUND_MS });
  for (const one of placed) one.close();
  for (const host of hosts) await host.close();
  const how = isPlaced ? 'in place' : 'copied in and out';
  addRows(
    pieces.length,
    results,
    { core, level, unit: '× one core', target: '≥ 1.8' },
    [`${bytes / KIB} KiB jobs ${how}, ${IN_FLIGHT} in flight, two engine cores; baseline: one`],
    ({ speedup }) => speedup,
  );
}

/** Chunks of all text families in turn, again and again, up to `bytes`. */
function* chunksOf(bytes: number): Generator<Buffer> {
  for (let made = 0; ; )
    for (const data of text)
      for (let at = 0; at < data.length; at += CHUNK_BYTES) {
        if (made >= bytes) return;
        const chunk = data.subarray(at, Math.min(data.length, at + CHUNK_BYTES, at + bytes - made));
        made += chunk.length;
        yield chunk;
      }
}

/** One stream through the codec, whose reader gives chunks back when it has read them. @returns bytes out */
async function runStream(
  codec: Codec,
  level: number,
  sink: (chunk: Buffer, done: () => void) => void = (_, done) => done(),
): Promise<number> {
  const stream = codec.compressStream({ format: 'gzip', level });
  let bytesOut = 0;
  stream.on('data', (chunk: Buffer) => {
    bytesOut += chunk.length;
    sink(chunk, () => stream.giveBack(chunk));
  });
  for (const chunk of chunksOf(STREAM_BYTES)) if (!stream.write(chunk)) await once(stream, 'drain');
  stream.end();
  await once(stream, 'end');
  return bytesOut;
}

async function verifyStream(codec: Codec, level: number): Promise<number> {
  let wanted = 0;
  for (const chunk of chunksOf(STREAM_BYTES)) wanted = crc32(chunk, wanted);
  const decoder = createGunzip();
  let sum = 0;
  decoder.on('data', (chunk: Buffer) => {
    sum = crc32(chunk, sum);
  });
  const bytesOut = await runStream(codec, level, (chunk, done) => decoder.write(chunk, done));
  decoder.end();
  await once(decoder, 'end');
  if (sum !== wanted) throw new Error('node:zlib decodes another stream');
  return bytesOut;
}

/** One stream on two engine cores and on one; its ratio against one single job over the same bytes. */
async function singleStream(machine: Machine, bare: DeflateCore, level: number): Promise<void> {
  const core = bare.name;
  const one = await open(core, 1);
  const two = await open(core, 2);
  const bytesOut = await verifyStream(two.codec, level);
  const [single, both] = await race(
    [one, two].map(({ codec }) => async () => {
      await runStream(codec, level);
    }),
    { rounds: STREAM_ROUNDS, roundMs: 0 },
  );
  await one.close();
  await two.close();
  const serialBytes = machine.compressWhole(bare, chunksOf(STREAM_BYTES), STREAM_BYTES, level);
  if (!single || !both) return;
  rows.push({
    what: `one stream of ${STREAM_BYTES / MIB} MiB, two engine cores; baseline: one`,
    core,
    level,
    baselineUs: single.seconds * 1e6,
    oursUs: both.seconds * 1e6,
    baselineCpuUs: single.cpuSeconds * 1e6,
    oursCpuUs: both.cpuSeconds * 1e6,
    figure: both.speedup,
    unit: '× one core',
    target: '≥ 1.6, ratio ≥ 99 % of serial',
    ratio: STREAM_BYTES / bytesOut,
    serialRatio: STREAM_BYTES / serialBytes,
  });
}

function printTable(): void {
  console.log('| what | core | level | baseline µs (CPU) | ours µs (CPU) | figure | target |');
  console.log('|---|---|---|--:|--:|--:|---|');
  const us = (value: number): string => (value < 1000 ? value.toFixed(1) : value.toFixed(0));
  for (const row of rows) {
    const share = row.ratio && row.serialRatio ? (row.ratio / row.serialRatio) * 100 : undefined;
    const ratio =
      share === undefined
        ? ''
        : `; ratio ${row.ratio?.toFixed(3)}, serial ${row.serialRatio?.toFixed(3)}: ${share.toFixed(2)} %`;
    console.log(
      `| ${row.what} | ${row.core} | ${row.level} | ${us(row.baselineUs)} (${us(row.baselineCpuUs)}) | ` +
        `${us(row.oursUs)} (${us(row.oursCpuUs)}) | ${row.figure.toFixed(2)} ${row.unit}${ratio} | ${row.target} |`,
    );
  }
}

const sections = options.sections.split(',');
const machine = openMachine();
const cores = await loadCores(machine.memory, options.cores.split(','));
for (const core of cores) {
  const levels = core.name === 'wasm' ? [1, 6] : [1];
  for (const level of levels) {
    if (sections.includes('small')) await smallJobs(core.name, level);
    if (sections.includes('overhead')) await queueOverhead(machine, core, level);
    if (level === 1 && sections.includes('cores')) {
      for (const bytes of [64 * KIB, MIB])
        for (const isPlaced of [true, false]) await twoCores(core.name, bytes, level, isPlaced);
    }
    if (sections.includes('stream')) await singleStream(machine, core, level);
  }
}
releaseCores(cores);
if (options.json) console.log(JSON.stringify({ node: process.version, rounds: ROUNDS, rows }, null, 2));
else printTable();
