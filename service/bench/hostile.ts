/**
 * `npm run bench:hostile`: the wasm core on data made to be slow. Streams: our inflate beside node:zlib's, in turns and in CPU time, never
 * below half its speed. Inputs: our deflate beside itself on text, at every level, never more than three times the time
 * of a byte. All output is decoded by node:zlib first. Exits with 1 when a limit is passed.
 */
import { parseArgs } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import type { DeflateCore, MemoryRange } from '../src/emulator/deflate/core.ts';
import { loadCores, openMachine, releaseCores } from './cores.ts';
import { familyData, piecesOf, TEXT_FAMILIES } from './corpus.ts';
import { HOSTILE_INPUTS } from './hostile-inputs.ts';
import { HOSTILE_STREAMS } from './hostile-streams.ts';
import { race } from './race.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    'round-ms': { type: 'string', default: '20' },
    levels: { type: 'string', default: '1,2,3,4,5,6,7,8,9' },
  },
});
const RACE = { rounds: Number(options.rounds), roundMs: Number(options['round-ms']) };
const LEAST_INFLATE_SPEEDUP = 0.5;
const MOST_TEXT_TIMES = 3;

const machine = openMachine();

interface StreamRow {
  stream: string;
  bytes: number;
  outputBytes: number;
  speedup: number;
}

async function streamRows(core: DeflateCore): Promise<StreamRow[]> {
  const rows: StreamRow[] = [];
  for (const [stream, make] of Object.entries(HOSTILE_STREAMS)) {
    const packed = make();
    const wanted = inflateRawSync(packed);
    const [source] = machine.place([packed]);
    if (!source || !wanted.equals(machine.decompress(core, source, wanted.length)))
      throw new Error(`${stream}: inflates to other bytes`);
    const [, ours] = await race(
      [() => void inflateRawSync(packed), () => void machine.decompress(core, source, wanted.length)],
      RACE,
    );
    rows.push({ stream, bytes: packed.length, outputBytes: wanted.length, speedup: ours?.cpuSpeedup ?? 0 });
  }
  return rows;
}

interface InputRow {
  input: string;
  /** Time of a byte ÷ that of text, by level. */
  times: number[];
}

async function inputRows(core: DeflateCore, levels: readonly number[]): Promise<InputRow[]> {
  const pieces = TEXT_FAMILIES.flatMap((family) => piecesOf(familyData(family), 64 << 10, 1));
  const inputs = Object.entries(HOSTILE_INPUTS).map(([input, make]) => ({ input, data: make(), times: [0] }));
  for (const level of levels) {
    for (const row of inputs) {
      const placed = machine.place([row.data, ...pieces]);
      const [source, ...text] = placed;
      if (!source || !inflateRawSync(machine.compress(core, source, level).slice()).equals(row.data))
        throw new Error(`${row.input} at level ${level}: node:zlib decodes other bytes`);
      const compress = (ranges: readonly MemoryRange[]) => () => {
        for (const range of ranges) machine.compress(core, range, level);
      };
      const [, hostile] = await race([compress(text), compress([source])], RACE);
      const perByte = text.reduce((sum, { bytes }) => sum + bytes, 0) / source.bytes;
      row.times.push(perByte / (hostile?.cpuSpeedup ?? 1));
    }
  }
  return inputs.map(({ input, times }) => ({ input, times: times.slice(1) }));
}

function print(streams: readonly StreamRow[], inputs: readonly InputRow[], levels: readonly number[]): void {
  console.log('| stream | bytes | inflated | × node:zlib |\n|---|--:|--:|--:|');
  for (const row of streams)
    console.log(`| ${row.stream} | ${row.bytes} | ${row.outputBytes} | ${row.speedup.toFixed(2)} |`);
  console.log(`\n| time of a byte ÷ text, level | ${levels.join(' | ')} |`);
  console.log(`|---|${levels.map(() => '--:|').join('')}`);
  for (const row of inputs)
    console.log(`| ${row.input} | ${row.times.map((times) => times.toFixed(2)).join(' | ')} |`);
}

const levels = options.levels.split(',').map(Number);
const cores = await loadCores(machine.memory, ['wasm']);
for (const core of cores) {
  const streams = await streamRows(core);
  const inputs = await inputRows(core, levels);
  if (options.json) console.log(JSON.stringify({ node: process.version, streams, levels, inputs }, null, 2));
  else print(streams, inputs, levels);
  const isFast = streams.every(({ speedup }) => speedup >= LEAST_INFLATE_SPEEDUP);
  const isBounded = inputs.every(({ times }) => times.every((value) => value <= MOST_TEXT_TIMES));
  if (!isFast || !isBounded) process.exitCode = 1;
}
releaseCores(cores);
