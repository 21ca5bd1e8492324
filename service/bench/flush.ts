/**
 * `npm run bench:flush`: streams with a flush after every message, as log shippers and WebSocket clients write them.
 * node:zlib's Z_SYNC_FLUSH is the baseline; ours stands beside itself without history, which is what a stream of
 * stateless jobs would give. Contestants take turns in one run; node:zlib inflates every output before anything is
 * timed. Prints Markdown, or JSON with --json.
 */
import { parseArgs } from 'node:util';
import { constants, createGzip, gunzipSync } from 'node:zlib';
import { FlushHistory } from '../src/codec/flush-history.ts';
import { createHost, type Host } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import { familyData, piecesOf } from './corpus.ts';
import { race } from './race.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    'round-ms': { type: 'string', default: '150' },
  },
});
const ROUNDS = Number(options.rounds);
const ROUND_MS = Number(options['round-ms']);
const MESSAGES = 200;

interface Flushable extends NodeJS.ReadWriteStream {
  flush(callback: () => void): void;
}

async function flushEach(stream: Flushable, messages: readonly Uint8Array[]): Promise<Buffer> {
  const out: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => out.push(chunk));
  const ended = new Promise<void>((resolve, reject) => stream.on('end', resolve).on('error', reject));
  for (const message of messages) {
    stream.write(message);
    await new Promise<void>((resolve) => stream.flush(resolve));
  }
  stream.end();
  await ended;
  return Buffer.concat(out);
}

const { begin } = FlushHistory.prototype;
const ours = async (host: Host, level: number, hasHistory: boolean, messages: readonly Uint8Array[]) => {
  FlushHistory.prototype.begin = hasHistory ? begin : () => undefined;
  return flushEach(host.codec.compressStream({ format: 'gzip', level }), messages);
};
const zlib = (level: number, messages: readonly Uint8Array[]): Promise<Buffer> => {
  const stream = createGzip({ level });
  const flush = (callback: () => void): void => stream.flush(constants.Z_SYNC_FLUSH, callback);
  return flushEach(Object.assign(Object.create(stream) as typeof stream, { flush }), messages);
};

const rows: Record<string, number | string>[] = [];
const host = await createHost({ mode: 'sva', core: 'wasm', cores: 0, queues: 2 }, silentLog);
for (const family of ['logs', 'json'] as const)
  for (const bytes of [200, 1024, 4096])
    for (const level of [1, 6]) {
      const messages = piecesOf(familyData(family), bytes, MESSAGES);
      const input = Buffer.concat(messages);
      const works = [
        () => zlib(level, messages),
        () => ours(host, level, false, messages),
        () => ours(host, level, true, messages),
      ];
      const sizes: number[] = [];
      for (const work of works) {
        const output = await work();
        if (!gunzipSync(output).equals(input)) throw new Error('node:zlib decodes other bytes');
        sizes.push(output.length);
      }
      const laps = await race(
        works.map((work) => () => work().then(() => {})),
        { rounds: ROUNDS, roundMs: ROUND_MS },
      );
      const cpuUs = (i: number): number => ((laps[i]?.cpuSeconds ?? 0) * 1e6) / messages.length;
      const ratio = (i: number): number => input.length / (sizes[i] ?? 1);
      rows.push({
        ...{ family, bytes, level },
        ...{ zlibRatio: ratio(0), statelessRatio: ratio(1), historyRatio: ratio(2) },
        ...{ zlibCpuUs: cpuUs(0), statelessCpuUs: cpuUs(1), historyCpuUs: cpuUs(2) },
      });
    }
await host.close();

const print = (text: string): void => void process.stdout.write(`${text}\n`);
if (options.json) print(JSON.stringify(rows, undefined, 2));
else {
  print(
    '| messages | level | ratio: node:zlib | stateless jobs | **with history** | CPU µs a message: node:zlib | stateless jobs | with history |',
  );
  print('|---|--:|--:|--:|--:|--:|--:|--:|');
  for (const row of rows) {
    const of = (name: string, digits: number): string => Number(row[name]).toFixed(digits);
    const ratios = ['zlibRatio', 'statelessRatio', 'historyRatio'].map((name) => of(name, 2)).join(' | ');
    const times = ['zlibCpuUs', 'statelessCpuUs', 'historyCpuUs'].map((name) => of(name, 0)).join(' | ');
    print(`| ${row['family']}, ${row['bytes']} B | ${row['level']} | ${ratios} | ${times} |`);
  }
}
