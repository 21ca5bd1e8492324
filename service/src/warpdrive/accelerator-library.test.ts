import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { iova } from '../../../shared/src/units.ts';
import { withCode } from '../../test/support/errors.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { ScriptedProcess } from '../../test/support/scripted-queue.ts';
import { silentLog } from '../platform/log.ts';
import { AcceleratorLibrary } from './accelerator-library.ts';

const SMALL = 16 * 1024;
const SMALL_OUTPUT = 32 * 1024;
const JOB = 512 * 1024;

function libraryOf(queues: number, process = new ScriptedProcess()) {
  const library = new AcceleratorLibrary(
    { devices: () => [], attach: () => process },
    {
      mode: 'sva',
      owner: { pid: 1, name: 'test' },
      queues,
      jobBytes: JOB,
      smallJobBytes: SMALL,
      smallOutputBytes: SMALL_OUTPUT,
      largeSlots: 3,
      quietJobBytes: JOB,
      waitMs: 1000,
      deadlineMs: 1000,
    },
    new FakeClock(),
    silentLog,
  );
  const run = (
    operation: 'compress' | 'decompress',
    sourceBytes: number,
    destinationBytes = 1000,
    isFinal = true,
  ): void => {
    void library.run(operation, {
      format: 'gzip',
      level: 1,
      source: iova(0x1000),
      sourceBytes,
      destination: iova(0x2000),
      destinationBytes,
      isFinal,
    });
  };
  /** Jobs rung per queue. */
  const rung = (): number[] => process.queues.map(({ sqDoorbells }) => sqDoorbells.length);
  return { process, library, run, rung };
}

describe('AcceleratorLibrary', () => {
  it('shares its queues out over both operations', () => {
    for (const [queues, compress, decompress] of [
      [2, 1, 1],
      [3, 2, 1],
      [4, 2, 2],
      [7, 4, 3],
    ] as const) {
      const operations = libraryOf(queues).process.queues.map(({ operation }) => operation);
      assert.equal(operations.filter((operation) => operation === 'compress').length, compress, `${queues}`);
      assert.equal(
        operations.filter((operation) => operation === 'decompress').length,
        decompress,
        `${queues}`,
      );
    }
  });
  it('detaches when it cannot open all its queues', () => {
    const process = new ScriptedProcess();
    process.openFailure = new WarpDriveError('WD_E_NO_QUEUE', 'none');
    assert.throws(() => libraryOf(4, process), withCode('WD_E_NO_QUEUE'));
    assert.equal(process.isClosed, true);
  });
});

describe('AcceleratorLibrary.shortStreamJobBytes', () => {
  it('is small from a small request until eight large jobs later', () => {
    const { library, run } = libraryOf(4);
    assert.equal(library.shortStreamJobBytes, JOB);
    for (const [operation, isFinal] of [
      ['compress', true],
      ['decompress', false], // as all its jobs
    ] as const) {
      run(operation, SMALL, 1000, isFinal);
      for (let jobs = 0; jobs < 8; jobs++) {
        assert.equal(library.shortStreamJobBytes, JOB / 2);
        run('compress', JOB);
      }
      assert.equal(library.shortStreamJobBytes, JOB);
    }
  });

  it('is not changed by the rest of a stream that is compressed, which is no request', () => {
    const { library, run } = libraryOf(4);
    run('compress', SMALL, 1000, false);
    assert.equal(library.shortStreamJobBytes, JOB);
  });
});

describe('AcceleratorLibrary.run', () => {
  it('keeps the first queue for small jobs and gives large ones to the others, least loaded first', () => {
    const { run, rung } = libraryOf(6); // three compress queues, three decompress queues
    for (let i = 0; i < 4; i++) run('compress', SMALL + 1);
    for (let i = 0; i < 5; i++) run('compress', SMALL);
    assert.deepEqual(rung(), [5, 2, 2, 0, 0, 0]);
    run('decompress', 100);
    run('decompress', SMALL * 2);
    assert.deepEqual(rung(), [5, 2, 2, 1, 1, 0]);
  });
  it('takes a job of small input for a large one when it may write much', () => {
    const { library, run, rung } = libraryOf(6);
    run('decompress', SMALL, SMALL_OUTPUT);
    run('decompress', SMALL, SMALL_OUTPUT + 1);
    assert.deepEqual(rung(), [0, 0, 0, 1, 1, 0]);
    assert.equal(library.slotsFor(SMALL, SMALL_OUTPUT), library.small);
    assert.equal(library.slotsFor(SMALL, SMALL_OUTPUT + 1), library.large);
  });
  it('sends both kinds through the only queue', () => {
    const { run, rung } = libraryOf(2);
    run('compress', SMALL + 1);
    run('compress', 1);
    assert.deepEqual(rung(), [2, 0]);
  });
  it('refuses when the rings are full', () => {
    const { library, process, run } = libraryOf(2);
    for (let i = 0; i < 1023; i++) run('compress', 1);
    assert.throws(
      () => run('compress', 1),
      withCode('WD_E_NO_QUEUE', /rings of all compress queues are full/),
    );
    assert.equal(library.busyCount(process.queues[0]!.qpId), 1);
    assert.equal(library.busyCount(1), 0);
    assert.equal(library.busyCount(99), 0);
  });
});

describe('AcceleratorLibrary.slotsFor', () => {
  it('has slots of their own for small jobs', () => {
    const { library } = libraryOf(2);
    assert.equal(library.slotsFor(SMALL), library.small);
    assert.equal(library.slotsFor(SMALL + 1), library.large);
  });
  it('makes destinations that hold the largest output of their input', () => {
    const { library } = libraryOf(2);
    const slot = library.large.tryAcquire()!;
    assert.ok(slot.destination.bytes.length >= 256 * 1024 + 5 * 5 + 8, 'stored blocks, sync flush, trailer');
  });
});

describe('AcceleratorLibrary.openStream', () => {
  it('starts every stream from a clean state', () => {
    const { library } = libraryOf(2);
    const first = library.openStream();
    assert.deepEqual(
      { ...first.state, context: 0 },
      { context: 0, isNew: true, ctxDw0: 0, ctxDw1: 0, ctxDw2: 0, checksum: 0, isize: 0 },
    );
    first.state.isNew = false;
    first.state.checksum = 5;
    first.close();
    const second = library.openStream();
    assert.equal(second.state.context, first.state.context);
    assert.deepEqual([second.state.isNew, second.state.checksum], [true, 0]);
  });
  it('never gives one context to two streams, also after a double close', () => {
    const { library } = libraryOf(2);
    const stream = library.openStream();
    stream.close();
    stream.close();
    assert.notEqual(library.openStream().state.context, library.openStream().state.context);
  });
});

describe('AcceleratorLibrary.close', () => {
  it('ends jobs that are out as device errors, closes its queues and detaches', async () => {
    const { library, process } = libraryOf(2);
    const completion = library.run('compress', {
      format: 'gzip',
      level: 1,
      source: iova(0x1000),
      sourceBytes: 10,
      destination: iova(0x2000),
      destinationBytes: 1000,
      isFinal: true,
    });
    library.close();
    assert.equal((await completion).outcome, 'device-error');
    assert.ok(process.queues.every(({ isClosed }) => isClosed));
    assert.equal(process.isClosed, true);
  });
});
