/** Scenarios of processes that work as they should, until they are told or killed. */
import { setImmediate as turn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { AttachedQueue } from '../../../src/attach/client.ts';
import { getAddress } from '../../../src/hw-abi/field.ts';
import { SQE, SQE_WORDS } from '../../../src/hw-abi/zip-sqe.ts';
import { allocateAligned, connect, type Queue } from '../../../src/library/index.ts';
import { addressOf } from '../../../src/platform/libc.ts';
import { freshMemory } from '../attach-memory.ts';
import {
  attachOptions,
  type ChildMessage,
  compressOnce,
  errorOf,
  type Gate,
  isRight,
  JOB_DEADLINE_MS,
  readsAndWrites,
  textOf,
  type Where,
} from './tools.ts';

export const WORK = {
  /** Compresses ordinary Buffers. */
  async compress(
    options: Where & { jobs: number; bytes: number; seed: number; priority?: number },
    gate: Gate,
  ) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress', priority: options.priority ?? 0 });
    const memory = options.mode && options.mode !== 'sva' ? await wd.allocate(options.bytes * 3) : undefined;
    await gate();
    const frames = wd.frames;
    let right = 0;
    for (let i = 0; i < options.jobs; i++) {
      const text = Buffer.from(textOf(options.seed + i, options.bytes));
      const source = memory ? memory.bytes.subarray(0, text.length) : text;
      if (memory) source.set(text);
      const destination = memory ? memory.bytes.subarray(options.bytes) : Buffer.alloc(options.bytes * 2);
      const done = compressOnce(queue, source, destination);
      if (isRight(done, destination, text)) right++;
    }
    return { pid: process.pid, qpId: queue.qpId, right, frames: wd.frames - frames };
  },

  /** One gzip member by the package's own name. */
  async gzipByPackageName(options: Where, gate: Gate) {
    const name = 'warpdrive';
    const library = (await import(name)) as typeof import('../../../src/library/index.ts');
    const wd = await library.connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    await gate();
    const frames = wd.frames;
    const source = Buffer.from('hello '.repeat(10_000));
    const destination = Buffer.alloc(64 * 1024);
    const done = await queue.run({ format: 'gzip', source, destination });
    const member = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
      destination.subarray(0, done.produced),
    ]);
    // the first SQE of the queue's own ring: which addresses the engine was given
    const { dus } = (queue as unknown as { handle: AttachedQueue }).handle.region;
    const sqe = new Uint32Array(dus.buffer, dus.byteOffset, SQE_WORDS);
    const isUncopied =
      getAddress(sqe, 0, SQE.source) === addressOf(source) &&
      getAddress(sqe, 0, SQE.destination) === addressOf(destination);
    return {
      outcome: done.outcome,
      isRight: gunzipSync(member).equals(source),
      isUncopied,
      frames: wd.frames - frames,
    };
  },

  /**
   * Polls in stretches of 100 requests until one passed without any message and any read or write, for at most
   * `jobs` requests. A service that is not scheduled for 2 ms sleeps, and a kick is a message.
   */
  async poll(options: Where & { jobs: number; stopsEarly: boolean }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    const source = Buffer.from(textOf(1, 256));
    const destination = Buffer.alloc(1024, 1);
    await gate();
    const look = options.stopsEarly ? readsAndWrites : () => 0; // under strace, looks would be counted too
    const looking = -(look() - look()); // the look itself reads
    const start = wd.frames;
    let done = 0;
    let best = { frames: Number.POSITIVE_INFINITY, calls: Number.POSITIVE_INFINITY };
    while (done < options.jobs && !(options.stopsEarly && best.frames === 0 && best.calls === 0)) {
      const [frames, calls] = [wd.frames, look()];
      for (let i = 0; i < 100; i++) if (compressOnce(queue, source, destination).outcome === 'ok') done++;
      const now = { calls: look() - calls - looking, frames: wd.frames - frames };
      if (now.frames + now.calls < best.frames + best.calls) best = now;
    }
    return { done, best, frames: wd.frames - start };
  },

  /** One job after the other, each slept for. */
  async wait(options: Where & { jobs: number }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    const source = Buffer.from(textOf(1, 256));
    const destination = Buffer.alloc(1024, 1);
    await gate();
    const frames = wd.frames;
    let done = 0;
    for (let i = 0; i < options.jobs; i++)
      if ((await queue.run({ format: 'deflate', source, destination })).outcome === 'ok') done++;
    return { done, frames: wd.frames - frames };
  },

  /** Compresses into memory that nobody touched before (or that was touched first). */
  async firstTouch(options: Where & { bytes: number; touches: boolean; jobs?: number }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    const source = Buffer.from(textOf(7, options.bytes));
    await gate();
    let [right, outcome] = [0, 'none'];
    for (let i = 0; i < (options.jobs ?? 1); i++) {
      const destination = freshMemory(options.bytes);
      if (options.touches) destination.fill(0xff);
      const done = compressOnce(queue, source, destination);
      outcome = done.outcome;
      if (isRight(done, destination, source)) right++;
    }
    // the queue goes on after a refusal
    const again = Buffer.alloc(options.bytes, 1);
    return { outcome, right, afterwards: isRight(compressOnce(queue, source, again), again, source) };
  },

  /** Keeps working through resets: retries what is retryable. Ends when it saw `resets` and 20 good jobs after. */
  async survive(options: Where & { resets: number; isSync: boolean }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress', priority: 2 });
    const source = Buffer.from(textOf(3, 2000));
    await gate();
    const codes: Record<string, number> = {};
    let [resets, right, wrong, since] = [0, 0, 0, 0];
    const end = performance.now() + JOB_DEADLINE_MS;
    let isDown = false;
    while ((resets < options.resets || since < 20) && performance.now() < end) {
      const destination = Buffer.alloc(4096);
      try {
        const job = { format: 'deflate', source, destination } as const;
        const done = options.isSync ? queue.runSync(job) : await queue.run(job);
        if (isRight(done, destination, source)) right++;
        else wrong++;
        isDown = false;
        since++;
        if (right === 20) process.send?.({ type: 'ready' } satisfies ChildMessage);
      } catch (error) {
        if (!(error instanceof WarpDriveError) || !error.retryable) throw error;
        codes[error.code] = (codes[error.code] ?? 0) + 1;
        if (!isDown) resets++;
        isDown = true;
        since = 0;
      }
      await turn();
    }
    return { resets, right, wrong, codes: Object.keys(codes), since };
  },

  /** Gets into a state and stays there until it is killed. */
  async linger(options: Where & { state: LingerState; queues?: number }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    for (let more = 1; more < (options.queues ?? 1); more++) await wd.openQueue({ operation: 'decompress' });
    if (options.state === 'mapped') {
      await wd.map(allocateAligned(16 * 4096));
      await wd.allocate(100_000);
    }
    if (options.state === 'stalled') {
      const source = Buffer.from(textOf(1, 4000));
      void queue.run({ format: 'deflate', source, destination: freshMemory(8192) }).catch(() => {});
    }
    if (options.state === 'jobs') void keepBusy(queue);
    process.send?.({ type: 'ready' } satisfies ChildMessage);
    await gate();
    return new Promise<never>(() => setInterval(() => {}, 1000));
  },

  /** Holds queues until all are taken. @returns how many it got, and the error of the next */
  async takeAll(options: Where, gate: Gate) {
    const wd = await connect(attachOptions(options));
    await gate();
    let taken = 0;
    for (;;) {
      const error = await errorOf(() => wd.openQueue({ operation: 'compress' }));
      if (error !== 'no error') return { taken, error };
      taken++;
    }
  },
};

export type LingerState = 'idle' | 'mapped' | 'jobs' | 'stalled';

async function keepBusy(queue: Queue): Promise<void> {
  const source = Buffer.from(textOf(1, 200_000));
  const lane = async (): Promise<void> => {
    const destination = Buffer.alloc(300_000, 1);
    for (;;) await queue.run({ format: 'deflate', source, destination });
  };
  await Promise.all(Array.from({ length: 8 }, lane)).catch(() => {});
}
