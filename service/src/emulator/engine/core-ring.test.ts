import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CORE_NAMES, OPERATIONS } from '../../../../shared/src/telemetry.ts';
import { physAddr } from '../../../../shared/src/units.ts';
import { CoreRing, RING_SLOTS } from './core-ring.ts';
import type { EngineJob, EngineResult } from './job.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const extents = (maxLength: number) =>
  fc.array(
    fc.oneof(
      fc
        .record({ address: fc.nat(2 ** 31 - 1).map(physAddr), bytes: fc.nat(8 << 20) })
        .map((extent) => ({ ...extent })),
      fc
        .record({
          address: fc.maxSafeNat().map(physAddr),
          bytes: fc.nat(8 << 20),
          pid: fc.integer({ min: 1, max: 2 ** 22 }),
        })
        .map((extent) => ({ ...extent })),
    ),
    { maxLength },
  );
const anyJob: fc.Arbitrary<EngineJob> = fc
  .record({
    operation: fc.constantFrom(...OPERATIONS),
    checksum: fc.constantFrom('none' as const, 'crc32' as const, 'adler32' as const),
    level: fc.integer({ min: 1, max: 9 }),
    windowBytes: fc.constantFrom(4096, 8192, 16384, 24576, 32768),
    isFinal: fc.boolean(),
    isStateful: fc.boolean(),
    isStreamNew: fc.boolean(),
    source: extents(40),
    destination: extents(40),
    context: extents(3),
    ctxDw0: u32,
    ctxDw1: u32,
    ctxDw2: u32,
    checksumIn: u32,
    isizeIn: u32,
    injected: fc.constantFrom(undefined, 'hang' as const, 'crash' as const),
  })
  .map(({ injected, ...job }) => (injected ? { ...job, injected } : job));
const anyResult: fc.Arbitrary<EngineResult> = fc
  .record({
    status: fc.nat(255),
    isLastBlock: fc.boolean(),
    consumed: u32,
    produced: u32,
    checksum: u32,
    isize: u32,
    ctxDw0: u32,
    ctxDw1: u32,
    ctxDw2: u32,
    core: fc.constantFrom(...CORE_NAMES),
    busyUs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    fault: fc.option(
      fc.record({
        part: fc.constantFrom('source' as const, 'destination' as const, 'context' as const),
        offset: fc.nat(8 << 20),
        access: fc.constantFrom('read' as const, 'write' as const),
      }),
      { nil: undefined },
    ),
  })
  .map(({ fault, ...result }) => (fault ? { ...result, fault: { ...fault } } : result));

const unexpected = (): never => assert.fail('no job goes by message');

describe('CoreRing', () => {
  it('carries any jobs and results in order, over any number of laps, with as many in it as it holds', () => {
    const batch = fc.array(fc.tuple(anyJob, anyResult), { minLength: 1, maxLength: RING_SLOTS });
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 6 }), (batches) => {
        const device = new CoreRing();
        const thread = new CoreRing(device.buffer);
        const sent: EngineJob[] = [];
        for (const pairs of batches) {
          for (const [job] of pairs) device.submit(job, (large) => sent.push(large));
          for (const [job, result] of pairs) {
            assert.deepEqual(
              thread.nextJob(() => sent.shift() ?? unexpected()),
              job,
            );
            thread.complete(result);
          }
          for (const [, result] of pairs) assert.deepEqual(device.takeResult(), result);
          assert.equal(device.takeResult(), undefined);
        }
        assert.deepEqual(sent, []);
      }),
      { numRuns: 60 },
    );
  });
  it('sends a job by message only if it has more pieces than a slot takes', () => {
    const [job] = fc.sample(anyJob, 1);
    assert.ok(job);
    const pieces = (count: number) =>
      Array.from({ length: count }, () => ({ address: physAddr(1), bytes: 1 }));
    const ring = new CoreRing();
    let sent = 0;
    ring.submit({ ...job, source: pieces(47), destination: pieces(1), context: [] }, () => sent++);
    assert.equal(sent, 0);
    ring.submit({ ...job, source: pieces(47), destination: pieces(1), context: pieces(1) }, () => sent++);
    assert.equal(sent, 1);
  });
  it('wakes the device once for many completions', async () => {
    const device = new CoreRing();
    const thread = new CoreRing(device.buffer);
    const [[job, result] = assert.fail()] = fc.sample(fc.tuple(anyJob, anyResult), 1);
    const small = { ...job, source: [], destination: [], context: [] };
    let woken = 0;
    const first = new Promise<void>((resolve) =>
      device.onCompletion(() => {
        woken++;
        resolve();
      }),
    );
    for (let i = 0; i < 3; i++) device.submit(small, unexpected);
    for (let i = 0; i < 3; i++) {
      thread.nextJob(unexpected);
      thread.complete(result);
    }
    await first;
    for (let i = 0; i < 3; i++) assert.deepEqual(device.takeResult(), result);
    assert.equal(woken, 1);
  });
  describe('with more jobs in it', () => {
    const [[job, result] = assert.fail()] = fc.sample(fc.tuple(anyJob, anyResult), 1);
    const quick = { ...result, busyUs: 100 };
    const sized = (bytes: number): EngineJob => ({
      ...job,
      source: [{ address: physAddr(0), bytes }],
      destination: [{ address: physAddr(bytes), bytes }],
      context: [],
    });
    /** @returns after which completions the device was woken, counted from 1; it asks again each time */
    const wakesOf = async (jobs: readonly EngineJob[], done: EngineResult): Promise<number[]> => {
      const device = new CoreRing();
      const thread = new CoreRing(device.buffer);
      const wakes: number[] = [];
      let completed = 0;
      const arm = (): void =>
        device.onCompletion(() => {
          wakes.push(completed);
          arm();
        });
      arm();
      for (const each of jobs) device.submit(each, unexpected);
      for (; completed < jobs.length; ) {
        thread.nextJob(unexpected);
        completed++;
        thread.complete(done);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return wakes;
    };

    it('wakes the device when one job is left, and for the last', async () => {
      assert.deepEqual(await wakesOf([sized(1000), sized(1000), sized(900), sized(900)], quick), [3, 4]);
    });
    it('holds no completion back for longer than half a millisecond of jobs', async () => {
      assert.deepEqual(await wakesOf(Array(6).fill(sized(1000)), { ...quick, busyUs: 300 }), [2, 4, 5, 6]);
      assert.deepEqual(await wakesOf(Array(4).fill(sized(1000)), { ...quick, busyUs: 501 }), [1, 2, 3, 4]);
    });
    it('holds no completion back for a job that may take longer', async () => {
      const slow = { ...sized(1000), level: job.level + 1 };
      const other = {
        ...sized(1000),
        operation: job.operation === 'compress' ? 'decompress' : 'compress',
      } as const;
      for (const next of [sized(1001), slow, other])
        assert.deepEqual(await wakesOf([sized(1000), next, next, next], quick), [1, 3, 4]);
    });
  });
  it('wakes the device when the ring is given up', async () => {
    const device = new CoreRing();
    await new Promise<void>((resolve) => {
      device.onCompletion(resolve);
      device.release();
    });
  });
});
