/**
 * `npm run bench:http`: POST /v1/compress?level=1 beside what people use today, in one run. Every server is a process
 * of its own; the load comes from another process on another CPU where there is one.
 * `--section sizes,workers,websocket,fairness,idle` runs a part; `--json` prints figures for programs.
 */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Bench, isPinned } from './http-bench.ts';
import { fairness } from './http-fairness.ts';
import { idle } from './http-idle.ts';
import { hasWrk } from './http-load.ts';
import { markdown, type Section } from './http-report.ts';
import { sizes } from './http-sizes.ts';
import { websocket } from './http-websocket.ts';
import { workers } from './http-workers.ts';

const SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<Section>>> = {
  sizes,
  workers,
  websocket,
  fairness,
  idle,
};

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    section: { type: 'string', default: Object.keys(SECTIONS).join(',') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    sizes: { type: 'string', default: '2048,65536,1048576' },
    connections: { type: 'string', default: '16' },
    cores: { type: 'string', default: 'isal,wasm' },
    skip: { type: 'string', default: '' },
  },
});

const list = (text: string): string[] => text.split(',').filter((item) => item !== '');
const bench: Bench = {
  rounds: Number(options.rounds),
  seconds: Number(options.seconds),
  connections: Number(options.connections),
  sizes: list(options.sizes).map(Number),
  cores: list(options.cores),
  skip: list(options.skip),
  note: (text) => void process.stderr.write(`${text}\n`),
};
const machine = {
  cpu: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown CPU'}`,
  node: process.version,
  generator: hasWrk ? 'wrk' : 'own generator',
  pinning: isPinned ? 'server on CPU 0, load on CPU 1, unless a section says otherwise' : 'none',
  date: new Date().toISOString().slice(0, 10),
};
const sections: Section[] = [];
for (const name of list(options.section)) {
  const section = SECTIONS[name];
  if (!section) throw new Error(`--section ${name}: one of ${Object.keys(SECTIONS).join(', ')} expected`);
  sections.push(await section(bench));
}
process.stdout.write(
  options.json ? `${JSON.stringify({ machine, sections }, null, 2)}\n` : markdown(machine, sections),
);
