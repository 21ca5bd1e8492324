import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { iova } from '../../../shared/src/units.ts';
import { withCode } from '../../test/support/errors.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { ScriptedProcess } from '../../test/support/scripted-queue.ts';
import type { ZipCompletion } from '../driver/zip/zip-queue.ts';
import { type Log, silentLog } from '../platform/log.ts';
import { QueueSession } from './queue-session.ts';

const DEADLINE_MS = 30_000;
const REQUEST = {
  format: 'gzip',
  level: 1,
  source: iova(0x1000),
  sourceBytes: 100,
  destination: iova(0x2000),
  destinationBytes: 1000,
  isFinal: true,
} as const;

function sessionOf() {
  const process = new ScriptedProcess();
  const clock = new FakeClock();
  const errors: object[] = [];
  const log: Log = { ...silentLog, error: (details) => errors.push(details) };
  const session = new QueueSession(process, { operation: 'compress', priority: 2 }, clock, log, DEADLINE_MS);
  const run = (): Promise<ZipCompletion> => {
    const completion = session.run(REQUEST);
    assert.ok(completion);
    return Promise.resolve(completion);
  };
  return { process, clock, session, errors, run };
}

describe('QueueSession.run', () => {
  it('opens and starts one queue with the request’s priority', () => {
    const { process } = sessionOf();
    assert.deepEqual(
      process.queues.map(({ priority, isStarted }) => [priority, isStarted]),
      [[2, true]],
    );
  });
  it('resolves many jobs in flight, each with its own result', async () => {
    const { process, session, run } = sessionOf();
    const all = Promise.all([run(), run(), run()]);
    const [queue] = process.queues;
    for (const [slot, produced] of [10, 20, 30].entries()) queue!.complete(slot, { 1: produced });
    queue!.interrupt();
    assert.deepEqual(
      (await all).map(({ produced }) => produced),
      [10, 20, 30],
    );
    assert.equal(session.inFlight, 0);
  });
  it('has a job settled on return that the device finished in the doorbell, and starts no deadline for it', async () => {
    const { process, clock, session, run } = sessionOf();
    const [queue] = process.queues;
    queue!.onDoorbell = ({ low, high }) => {
      if (low >>> 12 === 0) queue!.complete(high - 0x2_0001, { 1: 5 });
    };
    const completion = run();
    assert.equal(session.inFlight, 0);
    assert.equal(clock.pendingTimers, 0);
    assert.equal((await completion).produced, 5);
  });
  it('says no when the ring is full, and counts it', () => {
    const { session, run } = sessionOf();
    for (let i = 0; i < 1023; i++) void run();
    assert.equal(session.run(REQUEST), undefined);
    assert.equal(session.busy, 1);
  });
});

describe('QueueSession deadline', () => {
  it('reopens the queue of which no job came back in time, and fails its jobs as device errors', async () => {
    const { process, clock, session, errors, run } = sessionOf();
    const lost = Promise.all([run(), run()]);
    clock.advance(DEADLINE_MS - 1);
    assert.equal(process.queues.length, 1);
    clock.advance(1);
    assert.deepEqual(
      (await lost).map(({ outcome, status }) => [outcome, status]),
      [
        ['device-error', 0xff],
        ['device-error', 0xff],
      ],
    );
    assert.equal(process.queues[0]!.isClosed, true);
    assert.equal(process.queues[1]!.isStarted, true);
    assert.equal(session.qpId, 1);
    const [logged] = errors as { queue: string; inFlight: number; err: WarpDriveError }[];
    assert.deepEqual([logged?.queue, logged?.inFlight, logged?.err.code], ['scripted/0', 2, 'WD_E_TIMEOUT']);
    const next = run();
    process.queues[1]!.complete(0, { 1: 3 });
    process.queues[1]!.interrupt();
    assert.equal((await next).produced, 3);
  });
  it('is put off by every completion, because completions come in order', () => {
    const { process, clock, run } = sessionOf();
    for (let i = 0; i < 10; i++) void run();
    for (let slot = 0; slot < 9; slot++) {
      clock.advance(DEADLINE_MS - 1000);
      process.queues[0]!.complete(slot);
      process.queues[0]!.interrupt();
    }
    assert.equal(process.queues.length, 1);
    clock.advance(2 * DEADLINE_MS);
    assert.equal(process.queues.length, 2);
  });
  it('counts from the submission of a job that found the queue idle', () => {
    const { process, clock, run } = sessionOf();
    const [queue] = process.queues;
    void run();
    queue!.complete(0);
    queue!.interrupt();
    clock.advance(DEADLINE_MS - 1);
    void run(); // one millisecond before the first job's timer fires
    clock.advance(DEADLINE_MS - 1);
    assert.equal(process.queues.length, 1);
    clock.advance(DEADLINE_MS);
    assert.equal(process.queues.length, 2);
  });
  it('leaves an idle queue alone', () => {
    const { process, clock, run } = sessionOf();
    void run();
    process.queues[0]!.complete(0);
    process.queues[0]!.interrupt();
    clock.advance(10 * DEADLINE_MS);
    assert.equal(process.queues.length, 1);
    assert.equal(clock.pendingTimers, 0);
  });
  it('fails its jobs also when no new queue is to be had, and opens one for the next job', async () => {
    const { process, clock, session, run } = sessionOf();
    const lost = run();
    process.openFailure = new WarpDriveError('WD_E_NO_QUEUE', 'all mdevs are open');
    clock.advance(DEADLINE_MS);
    assert.equal((await lost).outcome, 'device-error');
    assert.throws(() => session.run(REQUEST), withCode('WD_E_NO_QUEUE'));
    assert.equal(process.queues[0]!.sqDoorbells.length, 1, 'the closed queue is not touched');
    process.openFailure = undefined;
    const next = run();
    process.queues[1]!.complete(0);
    process.queues[1]!.interrupt();
    assert.equal((await next).outcome, 'ok');
  });
});

describe('QueueSession.close', () => {
  it('fails what is out, stops the clock, and takes no more', async () => {
    const { process, clock, session, run } = sessionOf();
    const lost = run();
    session.close();
    assert.equal((await lost).outcome, 'device-error');
    assert.equal(process.queues[0]!.isClosed, true);
    assert.equal(clock.pendingTimers, 0);
    assert.throws(() => session.run(REQUEST), WarpDriveError);
    assert.equal(process.queues[0]!.sqDoorbells.length, 1);
  });
});
