/**
 * `npm run bench:library`: the library's functions against node:zlib's, by name, in turns in one run. Every output is
 * decoded by the other side before anything is timed. Prints Markdown, or JSON with --json; --core isal takes
 * ISA-L where the library would (levels 1–3).
 */
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs, promisify } from 'node:util';
import * as node from 'node:zlib';
import * as ours from '../src/library/index.ts';
import { familyData, piecesOf } from './corpus.ts';
import { race } from './race.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '9' },
    'round-ms': { type: 'string', default: '60' },
    core: { type: 'string', default: 'wasm' },
  },
});
process.env['WARPDRIVE_CORE'] = options.core;

const KIB = 1024;
const SIZES = [2 * KIB, 64 * KIB, 1024 * KIB];
const STREAM_CHUNK_BYTES = 64 * KIB;
const SMALL_WRITE_BYTES = KIB;
const FAMILIES = ['json', 'html', 'js', 'logs'] as const;

/** The functions that are raced. */
type Maker = Pick<
  typeof node,
  'gzipSync' | 'gunzipSync' | 'createGzip' | 'createGunzip' | 'gzip' | 'gunzip' | 'constants'
>;
const MAKERS: readonly Maker[] = [node, ours as unknown as Maker];

interface Row {
  what: string;
  bytes: number;
  level?: number;
  /** For one buffer or stream of `bytes`. */
  nodeUs: number;
  oursUs: number;
  speedup: number;
  cpuSpeedup: number;
  nodeRatio?: number;
  oursRatio?: number;
}

const rows: Row[] = [];

const cut = (data: Buffer, bytes: number): Buffer[] =>
  Array.from({ length: Math.ceil(data.length / bytes) }, (_, i) => data.subarray(i * bytes, (i + 1) * bytes));

async function through(stream: NodeJS.ReadWriteStream, chunks: readonly Buffer[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk);
      done();
    },
  });
  await pipeline(Readable.from(chunks), stream, sink);
  return Buffer.concat(parts);
}

async function flushedMessages(maker: Maker, level: number, messages: readonly Buffer[]): Promise<Buffer> {
  const stream = maker.createGzip({ level });
  const parts: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => parts.push(chunk));
  for (const message of messages) {
    stream.write(message);
    await new Promise<void>((done) => stream.flush(maker.constants.Z_SYNC_FLUSH, done));
  }
  await new Promise<void>((done) => stream.on('end', done).end());
  return Buffer.concat(parts);
}

/** @param work on one input; its result is checked before the race */
async function compete(
  what: string,
  inputs: readonly Buffer[],
  plain: readonly Buffer[],
  level: number | undefined,
  work: (maker: Maker, input: Buffer) => Buffer | Promise<Buffer>,
): Promise<void> {
  const ratios: number[] = [];
  for (const maker of MAKERS) {
    let bytesOut = 0;
    for (const [i, input] of inputs.entries()) {
      const result = await work(maker, input);
      const decoded = level === undefined ? result : node.gunzipSync(result);
      if (!plain[i]?.equals(decoded)) throw new Error(`${what}: wrong bytes`);
      bytesOut += result.length;
    }
    ratios.push(plain.reduce((sum, { length }) => sum + length, 0) / bytesOut);
  }
  const [theirs, mine] = await race(
    MAKERS.map((maker) => async () => {
      for (const input of inputs) {
        const pending = work(maker, input);
        if (!Buffer.isBuffer(pending)) await pending;
      }
    }),
    { rounds: Number(options.rounds), roundMs: Number(options['round-ms']) },
  );
  if (!theirs || !mine) return;
  const each = 1e6 / inputs.length;
  rows.push({
    what,
    bytes: plain[0]?.length ?? 0,
    nodeUs: theirs.seconds * each,
    oursUs: mine.seconds * each,
    speedup: mine.speedup,
    cpuSpeedup: mine.cpuSpeedup,
    ...(level === undefined ? {} : { level, nodeRatio: ratios[0] ?? 0, oursRatio: ratios[1] ?? 0 }),
  });
}

for (const bytes of SIZES) {
  const plain = FAMILIES.flatMap((family) => piecesOf(familyData(family), bytes, bytes > 64 * KIB ? 1 : 4));
  for (const level of [1, 6, 9]) {
    await compete('gzipSync', plain, plain, level, (maker, data) => maker.gzipSync(data, { level }));
    await compete('gzip, awaited', plain, plain, level, (maker, data) =>
      promisify<Buffer, node.ZlibOptions, Buffer>(maker.gzip)(data, { level }),
    );
    await compete('pipeline through createGzip', plain, plain, level, (maker, data) =>
      through(maker.createGzip({ level }), cut(data, STREAM_CHUNK_BYTES)),
    );
  }
  const packed = plain.map((data) => node.gzipSync(data));
  await compete('gunzipSync', packed, plain, undefined, (maker, data) => maker.gunzipSync(data));
  await compete('gunzip, awaited', packed, plain, undefined, (maker, data) =>
    promisify<Buffer, Buffer>(maker.gunzip)(data),
  );
  await compete('pipeline through createGunzip', packed, plain, undefined, (maker, data) =>
    through(maker.createGunzip(), cut(data, STREAM_CHUNK_BYTES)),
  );
}
const large = FAMILIES.flatMap((family) => piecesOf(familyData(family), 1024 * KIB, 1));
const small = FAMILIES.flatMap((family) => piecesOf(familyData(family), 64 * KIB, 1));
for (const level of [1, 6]) {
  await compete('createGzip, writes of 1 KiB', large, large, level, (maker, data) =>
    through(maker.createGzip({ level }), cut(data, SMALL_WRITE_BYTES)),
  );
  await compete('createGzip, flushed every 256 bytes', small, small, level, (maker, data) =>
    flushedMessages(maker, level, cut(data, 256)),
  );
}

const size = (bytes: number): string =>
  bytes >= 1024 * KIB ? `${bytes / 1024 / KIB} MiB` : `${bytes / KIB} KiB`;
const two = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(2));

if (options.json) console.log(JSON.stringify({ core: options.core, rows }, null, 2));
else {
  console.log(`Engine core ${options.core}; Node ${process.version}; ${FAMILIES.join(', ')}\n`);
  console.log(
    '| what | size | level | node:zlib µs | warpdrive µs | × faster | × less CPU | ratio | zlib’s ratio |',
  );
  console.log('|---|---|--:|--:|--:|--:|--:|--:|--:|');
  for (const row of rows)
    console.log(
      `| ${row.what} | ${size(row.bytes)} | ${row.level ?? ''} | ${row.nodeUs.toFixed(1)} | ${row.oursUs.toFixed(1)} | ` +
        `${two(row.speedup)} | ${two(row.cpuSpeedup)} | ${two(row.oursRatio)} | ${two(row.nodeRatio)} |`,
    );
}
