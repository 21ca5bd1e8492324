import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCode } from '../../../test/support/errors.ts';
import { QueuePool } from './queue-pool.ts';

describe('QueuePool', () => {
  it('hands out the lowest free number', () => {
    const pool = new QueuePool('hisi_zip-0', 4);
    assert.deepEqual([pool.take(), pool.take(), pool.take()], [0, 1, 2]);
    pool.give(1);
    assert.equal(pool.take(), 1);
    assert.equal(pool.free, 1);
  });
  it('refuses when all are taken, with the kernel’s errno', () => {
    const pool = new QueuePool('hisi_zip-0', 1);
    pool.take();
    assert.throws(
      () => pool.take(),
      withCode('WD_E_NO_QUEUE', /all 1 queues of hisi_zip-0 are busy \(EBUSY\)/),
    );
  });
});
