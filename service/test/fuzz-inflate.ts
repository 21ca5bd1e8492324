/**
 * `npm run fuzz:inflate -- --executions N --seed S`: mutated valid streams through the wasm core and node:zlib, which
 * must agree on the verdict and, for valid streams, on every byte. Deterministic for a seed: executions come in batches
 * with a seed each, and a run that was broken off goes on with `--from`, the count of its last line.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { type JobAnswer, type WasmMachine, wasmMachine } from './wasm-machine.ts';

/** Output at which both sides stop; a mutation can turn 100 bytes into 100 KB. */
const OUTPUT_LIMIT = 1 << 16;
/** Most outputs fit; node:zlib's 16 KiB for each call keep the garbage collector busy. */
const OUTPUT_CHUNK = 1 << 10;

export type Verdict = 'ok' | 'truncated' | 'corrupt' | 'too-large';

export interface Disagreement {
  execution: number;
  stream: string;
  zlib: Verdict;
  ours: Verdict;
  reason?: string | undefined;
}

export interface FuzzReport {
  executions: number;
  verdicts: Record<Verdict, number>;
  disagreements: Disagreement[];
}

type Random = (below: number) => number;

function xorshift(seed: number): Random {
  let state = seed * 2654435761 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function payloadOf(random: Random): Buffer {
  const symbols = 1 + random(random(3) === 0 ? 256 : 20);
  const bytes: number[] = [];
  const size = random(600);
  while (bytes.length < size) {
    if (bytes.length > 3 && random(4) === 0) {
      const distance = 1 + random(bytes.length);
      const length = 3 + random(random(8) === 0 ? 256 : 12);
      for (let i = 0; i < length; i++) bytes.push(bytes[bytes.length - distance] ?? 0);
    } else bytes.push((random(symbols) * 7) & 255);
  }
  return Buffer.from(bytes);
}

/** Valid streams of every block type, several blocks and odd codes. */
function seedStreams(random: Random): Buffer[] {
  const strategies = [
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
  ];
  return Array.from({ length: 200 }, () => {
    const strategy = strategies[random(strategies.length)] ?? 0;
    const parts = Array.from({ length: random(3) }, () =>
      deflateRawSync(payloadOf(random), {
        level: random(10),
        strategy,
        finishFlush: random(2) === 0 ? constants.Z_SYNC_FLUSH : constants.Z_PARTIAL_FLUSH,
      }),
    );
    return Buffer.concat([...parts, deflateRawSync(payloadOf(random), { level: random(10), strategy })]);
  });
}

function mutate(stream: Buffer, other: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(stream);
  for (let changes = random(5); changes > 0; changes--) {
    const at = random(bytes.length + 1);
    // Block headers lie in front: half of the changes go there.
    const near = random(2) === 0 ? random(Math.min(bytes.length + 1, 24)) : at;
    switch (random(7)) {
      case 0:
      case 1:
        if (near < bytes.length) bytes[near] = (bytes[near] ?? 0) ^ (1 << random(8));
        break;
      case 2:
        if (near < bytes.length) bytes[near] = random(256);
        break;
      case 3:
        bytes = bytes.subarray(0, at);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, near), Buffer.from([random(256)]), bytes.subarray(near)]);
        break;
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, near), bytes.subarray(Math.min(bytes.length, near + 1))]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length + 1))]);
    }
  }
  return bytes;
}

function verdictOfZlib(stream: Buffer): { verdict: Verdict; bytes?: Buffer } {
  try {
    return {
      verdict: 'ok',
      bytes: inflateRawSync(stream, { maxOutputLength: OUTPUT_LIMIT, chunkSize: OUTPUT_CHUNK }),
    };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') return { verdict: 'too-large' };
    return { verdict: code === 'Z_BUF_ERROR' ? 'truncated' : 'corrupt' };
  }
}

function verdictOf(answer: JobAnswer): Verdict {
  if (answer.outcome === 'end') return 'ok';
  if (answer.outcome === 'corrupt') return 'corrupt';
  return answer.outcome === 'more' ? 'truncated' : 'too-large';
}

function runCore(machine: WasmMachine, stream: Buffer, random: Random): JobAnswer {
  if (random(3) > 0) return machine.decompress(stream, OUTPUT_LIMIT);
  const step = 2 + random(40);
  return machine.decompressInJobs(stream, {
    inputSize: () => random(step),
    room: () => (random(2) === 0 ? random(step * 4) : 4096),
    core: () => random(2),
    jobs: 3000,
  });
}

/** An output limit may hide a defect that comes later from either side. */
function agree(zlib: Verdict, ours: Verdict): boolean {
  return zlib === ours || zlib === 'too-large' || ours === 'too-large';
}

export function fuzzInflate(executions: number, seed: number): FuzzReport {
  const random = xorshift(seed);
  const machine = wasmMachine(2);
  const seeds = seedStreams(random);
  const pick = (): Buffer => seeds[random(seeds.length)] ?? Buffer.alloc(0);
  const report: FuzzReport = {
    executions,
    verdicts: { ok: 0, truncated: 0, corrupt: 0, 'too-large': 0 },
    disagreements: [],
  };
  for (let execution = 0; execution < executions; execution++) {
    const stream = mutate(pick(), pick(), random);
    const zlib = verdictOfZlib(stream);
    const answer = runCore(machine, stream, random);
    const ours = verdictOf(answer);
    report.verdicts[zlib.verdict]++;
    const isSame = ours !== 'ok' || zlib.bytes === undefined || zlib.bytes.equals(answer.bytes);
    if (!agree(zlib.verdict, ours) || !isSame) {
      report.disagreements.push({
        execution,
        stream: stream.toString('hex'),
        zlib: zlib.verdict,
        ours,
        reason: isSame ? answer.reason : 'other bytes',
      });
    }
  }
  return report;
}

const BATCH = 100_000;

/** Batches from `from` to `executions`, one line on stderr for each; the sum at the end. */
function fuzzInBatches(executions: number, from: number, seed: number): FuzzReport {
  const sum: FuzzReport = {
    executions: 0,
    verdicts: { ok: 0, truncated: 0, corrupt: 0, 'too-large': 0 },
    disagreements: [],
  };
  for (let first = from; first < executions; first += BATCH) {
    const count = Math.min(BATCH, executions - first);
    const batch = fuzzInflate(count, seed + first / BATCH);
    sum.executions += count;
    for (const verdict of ['ok', 'truncated', 'corrupt', 'too-large'] as const)
      sum.verdicts[verdict] += batch.verdicts[verdict];
    for (const found of batch.disagreements)
      sum.disagreements.push({ ...found, execution: found.execution + first });
    console.error(`${first + count} executions, ${sum.disagreements.length} disagreements`);
  }
  return sum;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      executions: { type: 'string', default: '1000000' },
      from: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
    },
  });
  const from = Number(values.from);
  Error.stackTraceLimit = 0; // two of three executions end with an error, whose trace costs more than inflating
  if (from % BATCH !== 0) throw new RangeError(`--from ${values.from} is not a multiple of ${BATCH}`);
  const report = fuzzInBatches(Number(values.executions), from, Number(values.seed));
  console.log(JSON.stringify({ ...report, disagreements: report.disagreements.slice(0, 20) }, null, 2));
  console.log(`${report.disagreements.length} disagreements`);
  process.exitCode = report.disagreements.length > 0 ? 1 : 0;
}
