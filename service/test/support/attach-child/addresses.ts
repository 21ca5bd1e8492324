/** Scenarios about whose memory an address means. */
import { iova } from '../../../../shared/src/units.ts';
import { allocateAligned, connect } from '../../../src/library/index.ts';
import { addressOf } from '../../../src/platform/libc.ts';
import { absentAddress, memoryAt, readOnlyAddress } from '../attach-memory.ts';
import { attachOptions, compressOnce, type Gate, isRight, rawQueue, textOf, type Where } from './tools.ts';

export const ADDRESSES = {
  /** Works in memory at an address that other processes use too. */
  async sameAddress(options: Where & { address: number; jobs: number; seed: number }, gate: Gate) {
    const memory = memoryAt(options.address, 3 * 4096);
    const [source, destination] = [memory.subarray(0, 1024), memory.subarray(4096)];
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    await gate();
    const startedMs = Date.now();
    let right = 0;
    for (let i = 0; i < options.jobs; i++) {
      source.set(Buffer.from(textOf(options.seed + i, source.length)));
      const done = compressOnce(queue, source, destination);
      if (isRight(done, destination, source)) right++;
    }
    return { address: addressOf(memory), right, startedMs, endedMs: Date.now() };
  },

  /** Works at an IOVA that other processes map too. */
  async sameIova(options: Where & { iova: number; jobs: number; seed: number }, gate: Gate) {
    const memory = allocateAligned(3 * 4096);
    const { connection, run } = await rawQueue({ ...options, mode: 'vfio' });
    await connection.mapDma(addressOf(memory), options.iova, memory.length, 3);
    const [source, destination] = [memory.subarray(0, 1024), memory.subarray(4096)];
    await gate();
    const startedMs = Date.now();
    let right = 0;
    for (let i = 0; i < options.jobs; i++) {
      source.set(Buffer.from(textOf(options.seed + i, source.length)));
      const done = run({
        source: iova(options.iova),
        sourceBytes: source.length,
        destination: iova(options.iova + 4096),
        destinationBytes: destination.length,
      });
      if (isRight(done, destination, source)) right++;
    }
    return { address: addressOf(memory), right, startedMs, endedMs: Date.now() };
  },

  /** Maps an IOVA; after the gate it unmaps it if told so, and uses it in either case. */
  async privateMap(options: Where & { iova: number; unmaps: boolean; seed: number }, gate: Gate) {
    const memory = allocateAligned(3 * 4096);
    const { connection, run } = await rawQueue({ ...options, mode: 'vfio' });
    await connection.mapDma(addressOf(memory), options.iova, memory.length, 3);
    const [source, destination] = [memory.subarray(0, 1024), memory.subarray(4096)];
    source.set(Buffer.from(textOf(options.seed, source.length)));
    const job = () =>
      run({
        source: iova(options.iova),
        sourceBytes: source.length,
        destination: iova(options.iova + 4096),
        destinationBytes: destination.length,
      });
    const before = job().outcome;
    await gate();
    const unmapped = options.unmaps ? await connection.unmapDma(options.iova, memory.length) : 0;
    destination.fill(0);
    const done = job();
    return {
      before,
      after: done.outcome,
      unmapped,
      isRight: isRight(done, destination, source),
      isUntouched: destination.every((byte) => byte === 0),
    };
  },

  /** Lets the engine read memory that may only be read, write there, and write where nothing is, on two queues. */
  async readOnlyMemory(options: Where, gate: Gate) {
    const [first, second] = [await rawQueue(options), await rawQueue(options)];
    const memory = allocateAligned(2 * 4096).fill(1);
    const readOnly = readOnlyAddress(4096);
    const absent = absentAddress(1 << 20);
    await gate();
    const job = (source: number, destination: number) => ({
      source: iova(source),
      sourceBytes: 100,
      destination: iova(destination),
      destinationBytes: 4096,
    });
    const own = addressOf(memory);
    const outcomes = [
      first.run(job(readOnly, own)), // brings the page in
      first.run(job(own, readOnly)),
      second.run(job(own, readOnly)),
      second.run(job(own, absent)),
      second.run(job(own, own + 4096)),
    ].map(({ outcome }) => outcome);
    return { readOnly, absent, outcomes, queues: [first.handle.qpId, second.handle.qpId] };
  },

  /** Lets the engine read where this process has nothing, then works on. */
  async strayAddress(options: Where, gate: Gate) {
    const { connection, run } = await rawQueue(options);
    const memory = allocateAligned(3 * 4096).fill(1);
    const base = options.mode === 'vfio' ? 0x1000_0000 : addressOf(memory);
    if (options.mode === 'vfio') await connection.mapDma(addressOf(memory), base, memory.length, 3);
    const stray = options.mode === 'vfio' ? 0x7000_0000 : absentAddress(1 << 20);
    await gate();
    const good = { sourceBytes: 100, destination: iova(base + 4096), destinationBytes: 4096 };
    const bad = run({ ...good, source: iova(stray) });
    const bounds = run({ ...good, source: iova(base), destination: iova(stray) });
    const after = run({ ...good, source: iova(base) });
    return {
      stray,
      statuses: [bad.status, bounds.status, after.status],
      outcomes: [bad.outcome, bounds.outcome, after.outcome],
    };
  },
};
