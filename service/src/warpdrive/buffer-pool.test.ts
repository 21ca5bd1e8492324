import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { withCode } from '../../test/support/errors.ts';
import { ScriptedProcess } from '../../test/support/scripted-queue.ts';
import { BufferPool } from './buffer-pool.ts';

function poolOf(limitBytes: number) {
  const process = new ScriptedProcess();
  return { process, pool: new BufferPool(process, limitBytes) };
}

describe('BufferPool.take', () => {
  it('gives memory up to its limit and refuses one byte more', () => {
    const { process, pool } = poolOf(3000);
    const slot = pool.take(1000, 2000);
    assert.deepEqual([slot.source.bytes.length, slot.destination.bytes.length], [1000, 2000]);
    assert.throws(() => pool.take(1, 0), withCode('WD_E_NO_MEMORY', /0 of 3000 are left/));
    assert.deepEqual([pool.heldBytes, process.allocatedBytes], [3000, 3000]);
  });
  it('has room again for what was freed, once however often it is freed', () => {
    const { process, pool } = poolOf(3000);
    const slot = pool.take(1000, 2000);
    slot.free();
    slot.free();
    assert.deepEqual([pool.heldBytes, process.allocatedBytes], [0, 0]);
    pool.take(1500, 1500);
    assert.throws(() => pool.take(1, 1), withCode('WD_E_NO_MEMORY'));
  });
  it('leaves no half slot behind when memory ends', () => {
    const { process, pool } = poolOf(10_000);
    process.limitBytes = 1500;
    process.allocateFailure = new WarpDriveError('WD_E_NO_MEMORY', 'full');
    assert.throws(() => pool.take(1000, 2000), withCode('WD_E_NO_MEMORY', /full/));
    assert.deepEqual([pool.heldBytes, process.allocatedBytes], [0, 0]);
  });
});
