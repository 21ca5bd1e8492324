import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { withCode } from '../../test/support/errors.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { ScriptedProcess } from '../../test/support/scripted-queue.ts';
import { SlotPool } from './slot-pool.ts';

const WAIT_MS = 30_000;

function poolOf(slots: number) {
  const process = new ScriptedProcess();
  const clock = new FakeClock();
  const pool = new SlotPool(process, clock, {
    slots,
    sourceBytes: 1000,
    destinationBytes: 2000,
    waitMs: WAIT_MS,
  });
  return { process, clock, pool };
}

describe('SlotPool.tryAcquire', () => {
  it('makes slots on first need only, up to their number', () => {
    const { process, pool } = poolOf(2);
    assert.equal(process.allocatedBytes, 0);
    const first = pool.tryAcquire()!;
    assert.deepEqual([first.source.bytes.length, first.destination.bytes.length], [1000, 2000]);
    assert.equal(process.allocatedBytes, 3000);
    assert.ok(pool.tryAcquire());
    assert.equal(pool.tryAcquire(), undefined);
    assert.equal(pool.taken, 2);
  });
  it('uses a released slot again before it makes another', () => {
    const { process, pool } = poolOf(2);
    const slot = pool.tryAcquire()!;
    pool.release(slot);
    assert.equal(pool.taken, 0);
    assert.equal(pool.tryAcquire(), slot);
    assert.equal(process.allocatedBytes, 3000);
  });
  it('leaves no half slot behind when memory ends', () => {
    const { process, pool } = poolOf(2);
    process.limitBytes = 1500;
    process.allocateFailure = new WarpDriveError('WD_E_NO_MEMORY', 'full');
    assert.throws(() => pool.tryAcquire(), withCode('WD_E_NO_MEMORY'));
    assert.equal(process.allocatedBytes, 0);
    assert.equal(pool.taken, 0);
    process.allocateFailure = undefined;
    assert.ok(pool.tryAcquire());
  });
  it('lets nobody pass those who wait', async () => {
    const { pool } = poolOf(1);
    const slot = pool.tryAcquire()!;
    const waiting = pool.acquire();
    assert.equal(pool.tryAcquire(), undefined);
    pool.release(slot);
    assert.equal(pool.tryAcquire(), undefined);
    assert.equal(await waiting, slot);
  });
});

describe('SlotPool.acquire', () => {
  it('serves in order of arrival', async () => {
    const { pool } = poolOf(1);
    const slot = await pool.acquire();
    const order: number[] = [];
    const waiting = [1, 2, 3].map((n) =>
      pool.acquire().then((granted) => {
        order.push(n);
        pool.release(granted);
      }),
    );
    assert.equal(pool.waiters, 3);
    pool.release(slot);
    await Promise.all(waiting);
    assert.deepEqual(order, [1, 2, 3]);
    assert.deepEqual([pool.waiters, pool.taken], [0, 0]);
  });
  it('fails after the wait, for each by its own time of arrival', async () => {
    const { clock, pool } = poolOf(1);
    const slot = await pool.acquire();
    const early = assert.rejects(
      pool.acquire(),
      withCode('WD_E_NO_QUEUE', /all 1 job slots were busy for 30000 ms/),
    );
    clock.advance(10_000);
    const late = pool.acquire();
    clock.advance(WAIT_MS - 10_000);
    await early;
    assert.equal(pool.waiters, 1);
    pool.release(slot);
    assert.equal(await late, slot);
    assert.equal(clock.pendingTimers, 0);
  });
  it('leaves the line on abort, and gives its turn to the next', async () => {
    const { clock, pool } = poolOf(1);
    const slot = await pool.acquire();
    const controller = new AbortController();
    const aborted = assert.rejects(pool.acquire(controller.signal), withCode('WD_E_ABORTED'));
    const next = pool.acquire();
    controller.abort();
    await aborted;
    assert.equal(pool.waiters, 1);
    pool.release(slot);
    assert.equal(await next, slot);
    assert.equal(clock.pendingTimers, 0);
  });
  it('refuses at once when the signal is aborted already, and takes no slot', async () => {
    const { clock, pool } = poolOf(1);
    await assert.rejects(pool.acquire(AbortSignal.abort()), withCode('WD_E_ABORTED'));
    assert.equal(pool.taken, 0);
    await pool.acquire();
    await assert.rejects(pool.acquire(AbortSignal.abort()), withCode('WD_E_ABORTED'));
    assert.deepEqual([pool.waiters, clock.pendingTimers], [0, 0]);
  });
  it('leaves no listener on the signal, however it ended', async () => {
    const { clock, pool } = poolOf(1);
    const slot = await pool.acquire();
    const { signal } = new AbortController();
    const granted = pool.acquire(signal);
    const failed = assert.rejects(pool.acquire(signal), withCode('WD_E_NO_QUEUE'));
    pool.release(slot);
    await granted;
    clock.advance(WAIT_MS);
    await failed;
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});
