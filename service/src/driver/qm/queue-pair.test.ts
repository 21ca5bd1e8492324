import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCode } from '../../../test/support/errors.ts';
import { ScriptedQueue } from '../../../test/support/scripted-queue.ts';
import { QueuePairDriver } from './queue-pair.ts';

function driverOf(qpId = 5, priority = 0) {
  const queue = new ScriptedQueue({ operation: 'compress', priority }, qpId);
  const driver = new QueuePairDriver(queue.region, qpId, priority);
  const submit = (): number => {
    assert.notEqual(driver.reserve(), undefined);
    return driver.submit();
  };
  const reap = (): number[] => {
    const slots: number[] = [];
    driver.poll((slot) => slots.push(slot));
    return slots;
  };
  return { queue, driver, submit, reap };
}

describe('QueuePairDriver.submit', () => {
  it('rings one 64-bit doorbell with the new tail and the queue’s priority (sources.md 5.3)', () => {
    const { queue, submit } = driverOf(5, 9);
    assert.equal(submit(), 0);
    assert.equal(submit(), 1);
    assert.deepEqual(queue.doorbells, [
      { offset: 0x1000, low: 0x0000_0005, high: 0x0009_0001 },
      { offset: 0x1000, low: 0x0000_0005, high: 0x0009_0002 },
    ]);
  });
  it('wraps the tail to 0 after slot 1023', () => {
    const { queue, submit, reap } = driverOf();
    for (let i = 0; i < 1024; i++) {
      queue.complete(submit());
      assert.deepEqual(reap(), [i]);
    }
    assert.equal(queue.sqDoorbells.at(-1)?.high, 0);
    assert.equal(submit(), 0);
  });
});

describe('QueuePairDriver.reserve', () => {
  it('is full after 1023 submissions, counts the refusal, and has room again after one completion', () => {
    const { queue, driver, submit, reap } = driverOf();
    for (let i = 0; i < 1023; i++) submit();
    assert.equal(driver.reserve(), undefined);
    assert.equal(driver.reserve(), undefined);
    assert.equal(driver.busy, 2);
    assert.equal(driver.inFlight, 1023);
    queue.complete(0);
    assert.deepEqual(reap(), [0]);
    assert.equal(submit(), 1023);
    assert.equal(driver.reserve(), undefined);
  });
  it('refuses when the device stopped submission', () => {
    const { queue, driver } = driverOf();
    queue.setTxStop(1);
    assert.throws(() => driver.reserve(), withCode('WD_E_DEVICE_RESET', /submission/));
    queue.setTxStop(0);
    assert.equal(driver.reserve(), 0);
  });
});

describe('QueuePairDriver.poll', () => {
  it('finds nothing in a ring of zeros, and rings nothing', () => {
    const { queue, submit, reap } = driverOf();
    submit();
    assert.deepEqual(reap(), []);
    assert.equal(queue.doorbells.length, 1);
  });
  it('reaps in the device’s order and rings the CQ once with the new head, not armed', () => {
    const { queue, submit, reap } = driverOf(7);
    for (let i = 0; i < 3; i++) submit();
    for (const slot of [0, 1, 2]) queue.complete(slot);
    assert.deepEqual(reap(), [0, 1, 2]);
    assert.deepEqual(queue.doorbells.at(-1), { offset: 0x1000, low: 0x0000_1007, high: 0x0000_0003 });
    assert.equal(queue.doorbells.length, 4);
  });
  it('expects phase 1 in the first lap, 0 in the second, 1 in the third', () => {
    const { queue, submit, reap } = driverOf();
    for (let i = 0; i < 3 * 1024 + 10; i++) {
      queue.complete(submit());
      assert.deepEqual(reap(), [i % 1024]);
      assert.deepEqual(reap(), [], `stale entry taken after completion ${i}`);
    }
  });
  it('reaps a full ring across the wrap in one go', () => {
    const { queue, submit, reap } = driverOf();
    for (let i = 0; i < 600; i++) queue.complete(submit());
    reap();
    const slots = Array.from({ length: 1023 }, submit);
    for (const slot of slots) queue.complete(slot);
    assert.deepEqual(reap(), slots);
    assert.equal(queue.doorbells.at(-1)?.high, (600 + 1023) % 1024);
  });
  it('refuses a CQE that names a slot outside the ring (EIO)', () => {
    const { queue, submit, reap } = driverOf();
    submit();
    queue.complete(0);
    queue.dus.setUint16(131072 + 8, 1024, true);
    assert.throws(reap, withCode('WD_E_DEVICE', /slot 1024 of 1024/));
  });
  it('delivers what is complete before it reports that the device stopped completion', () => {
    const { queue, submit, reap } = driverOf();
    submit();
    submit();
    queue.complete(0);
    queue.setRxStop(1);
    assert.deepEqual(reap(), [0]);
    assert.throws(reap, withCode('WD_E_DEVICE_RESET', /completion/));
  });
});

describe('QueuePairDriver.arm', () => {
  it('rings the CQ with its head and the arm flag', () => {
    const { queue, driver, submit, reap } = driverOf(3);
    queue.complete(submit());
    reap();
    driver.arm();
    assert.deepEqual(queue.doorbells.at(-1), { offset: 0x1000, low: 0x0000_1003, high: 0x0001_0001 });
  });
});
