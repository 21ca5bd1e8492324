/** Many short jobs on two real threads: nothing but the ring itself may wake a thread or take a result. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { STATUS } from '../../hw-abi/zip-sqe.ts';
import type { Clock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { PhysicalMemory } from '../../platform/physical-memory.ts';
import { wasmModule } from '../deflate/wasm-core.ts';
import { allocateCoreRanges } from './core-ranges.ts';
import { CHECKSUM_START, type EngineJob, type EngineResult } from './job.ts';
import { WorkerCore } from './worker-core.ts';

/** A lost wake-up is a job that never ends. */
const HANGS_AFTER_MS = 60_000;
const AREA_BYTES = 16 * 1024;
const MOST_BYTES = 3000;

/** Its timers never fire: else the watchdog would take, seconds later, what nobody was woken for. */
const stoppedClock: Clock = { wallMs: () => 0, monotonicUs: () => 0, after: () => () => {} };

const memory = new PhysicalMemory(256 * 1024 * 1024);

/** Cores, and who waits for room at one of them, which only a completion makes. */
class Cores {
  private readonly cores: readonly WorkerCore[];
  private readonly waiting: (() => void)[] = [];

  constructor(count: number) {
    this.cores = Array.from({ length: count }, (_, id) => {
      const ranges = allocateCoreRanges(memory);
      const data = { memory: memory.wasm, core: 'wasm', module: wasmModule(), ranges } as const;
      return new WorkerCore(id, data, silentLog, stoppedClock);
    });
  }

  async run(job: EngineJob): Promise<EngineResult> {
    for (;;) {
      const core = this.cores.filter(({ hasRoom }) => hasRoom).sort((a, b) => a.load - b.load)[0];
      if (core)
        return new Promise((resolve) =>
          core.run(job, (result) => {
            resolve(result);
            this.waiting.shift()?.();
          }),
        );
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.cores.map((core) => core.dispose()));
  }
}

/** One client: a job after the other in a place of its own, each of other bytes. */
class Client {
  private readonly source = memory.allocate(AREA_BYTES);
  private readonly destination = memory.allocate(AREA_BYTES);
  private count = 0;

  constructor(
    private readonly cores: Cores,
    private readonly id: number,
  ) {}

  /** @param pieces more than a slot of the ring takes go by message @returns the status; output of a good job was checked */
  async job(injected?: 'crash', pieces = 1): Promise<number> {
    const text = `client ${this.id}, job ${this.count++}; `;
    const input = Buffer.alloc(1 + ((this.id * 977 + this.count * 389) % MOST_BYTES), text);
    memory.view(this.source, input.length).set(input);
    const source = Array.from({ length: pieces }, (_, i) => {
      const start = Math.floor((input.length * i) / pieces);
      const end = Math.floor((input.length * (i + 1)) / pieces);
      return { address: this.source + start, bytes: end - start } as EngineJob['source'][number];
    });
    const result = await this.cores.run({
      operation: 'compress',
      checksum: 'none',
      level: 1,
      windowBytes: 32768,
      isFinal: true,
      isStateful: false,
      isStreamNew: false,
      source,
      destination: [{ address: this.destination, bytes: AREA_BYTES }],
      context: [],
      ctxDw0: 0,
      ctxDw1: 0,
      ctxDw2: 0,
      checksumIn: CHECKSUM_START.none,
      isizeIn: 0,
      ...(injected ? { injected } : {}),
    });
    if (result.status !== STATUS.coreFailure) {
      assert.equal(result.consumed, input.length);
      const output = Buffer.from(memory.view(this.destination, result.produced));
      assert.ok(inflateRawSync(output).equals(input), `${text} came out as something else`);
    }
    return result.status;
  }
}

/** `count` clients with `jobs` jobs each; after each job a client may sleep a moment, so that threads fall asleep too. */
async function load(cores: Cores, count: number, jobs: number, crashEvery = 0): Promise<number[]> {
  const statuses: number[] = [];
  await Promise.all(
    Array.from({ length: count }, async (_, id) => {
      const client = new Client(cores, id);
      for (let i = 0; i < jobs; i++) {
        const isCrash = crashEvery > 0 && id === 0 && i % crashEvery === crashEvery - 1;
        statuses.push(await client.job(isCrash ? 'crash' : undefined, (id + i) % 50 === 0 ? 60 : 1));
        if ((id + i) % 7 === 0) await new Promise((next) => setTimeout(next, i % 3));
      }
    }),
  );
  return statuses;
}

describe('two WorkerCores under many short jobs', { timeout: HANGS_AFTER_MS }, () => {
  let cores: Cores;
  before(() => {
    cores = new Cores(2);
  });
  after(() => cores.dispose());

  for (const [clients, jobs] of [
    [1, 1500],
    [2, 1000],
    [3, 700],
    [40, 100],
  ] as const)
    it(`gives ${clients} clients all results of ${jobs} jobs each, and the right ones`, async () => {
      const statuses = await load(cores, clients, jobs);
      assert.equal(statuses.length, clients * jobs);
      assert.ok(statuses.every((status) => status !== STATUS.coreFailure));
    });
  it('ends every job while threads die in the middle, rightly or as failed, and goes on', async () => {
    const statuses = await load(cores, 24, 100, 10);
    assert.equal(statuses.length, 24 * 100);
    const failed = statuses.filter((status) => status === STATUS.coreFailure).length;
    assert.ok(failed >= 10, `${failed} jobs failed, 10 crashed their core`);
    assert.ok(failed < statuses.length / 2, `${failed} of ${statuses.length} failed`);
    assert.ok((await load(cores, 8, 50)).every((status) => status !== STATUS.coreFailure));
  });
});

describe('one WorkerCore', { timeout: HANGS_AFTER_MS }, () => {
  const cores = new Cores(1);
  const [first, second] = [new Client(cores, 1), new Client(cores, 2)];
  after(() => cores.dispose());

  it('ends two jobs after which none comes, whenever the second one ends', async () => {
    for (let i = 0; i < 3000; i++) await Promise.all([first.job(), second.job()]);
  });
  it('gets a job at whatever moment before it falls asleep', async () => {
    for (let i = 0; i < 3000; i++) {
      await first.job();
      // looks for work for 50 µs, then sleeps
      for (const until = performance.now() + (i % 120) / 1000; performance.now() < until; );
    }
  });
});
