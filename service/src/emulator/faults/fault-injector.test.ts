import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FaultPlan } from '../../../../shared/src/fault-injection.ts';
import { DeviceRig, type RigOptions } from '../../../test/support/device-rig.ts';
import { withCode } from '../../../test/support/errors.ts';

const TEXT = Buffer.from('a line of text for a device that has faults\n'.repeat(20));

function rigOf(options: RigOptions = { core: 'wasm' }) {
  const rig = new DeviceRig(options);
  const queue = rig.startQueue(3);
  const fields = {
    source: rig.place(TEXT),
    bytes: TEXT.length,
    destination: rig.place(Buffer.alloc(0x10000)),
  };
  const submit = (): number => queue.submit(fields);
  return { rig, queue, submit, fields, faults: rig.device.faults };
}

describe('FaultInjector plans', () => {
  it('lets the first occasions pass, strikes as often as it should, and is done', () => {
    const { queue, submit, faults } = rigOf();
    faults.inject({ kind: 'completion-error', after: 2, count: 3 });
    const statuses = Array.from({ length: 7 }, () => queue.status(submit()));
    assert.deepEqual(statuses, [0, 0, 0x42, 0x42, 0x42, 0, 0]);
    assert.equal(faults.isActive, false);
    const [record] = faults.list();
    assert.deepEqual([record?.seen, record?.fired, record?.isActive, record?.lastQueue], [5, 3, false, 3]);
  });
  it('strikes only the queue that it names', () => {
    const { rig, queue, submit, fields, faults } = rigOf();
    const other = rig.startQueue(4);
    faults.inject({ kind: 'completion-error', queue: 4 });
    assert.equal(queue.status(submit()), 0);
    assert.equal(other.status(other.submit(fields)), 0x42);
  });
  it('repeats a random run by its seed', () => {
    const run = (seed: number): number[] => {
      const { queue, submit, faults } = rigOf();
      faults.inject({ kind: 'completion-error', probability: 0.4, count: 1000, seed });
      return Array.from({ length: 60 }, () => queue.status(submit()));
    };
    assert.deepEqual(run(7), run(7));
    assert.notDeepEqual(run(7), run(8));
    const struck = run(7).filter((status) => status !== 0).length;
    assert.ok(struck > 8 && struck < 45, `${struck} of 60`);
  });
  it('names the field and what is allowed when a plan makes no sense', () => {
    const { faults } = rigOf();
    const wrong: [unknown, string][] = [
      [{ kind: 'sqe-bit-flip', bit: 1024 }, 'bit'],
      [{ kind: 'slow-dma', delayMs: 0 }, 'delayMs'],
      [{ kind: 'late-doorbell', delayMs: 60_001 }, 'delayMs'],
      [{ kind: 'completion-error', status: 256 }, 'status'],
      [{ kind: 'stall', queue: -1 }, 'queue'],
      [{ kind: 'stall', after: 1.5 }, 'after'],
      [{ kind: 'stall', count: 0 }, 'count'],
      [{ kind: 'stall', probability: 0 }, 'probability'],
      [{ kind: 'stall', probability: 1.01 }, 'probability'],
      [{ kind: 'ras', severity: 'bad' }, 'severity'],
      [{ kind: 'ras', severity: 'nfe', error: 'no_such_bit' }, 'error'],
      [{ kind: 'core-hang' }, 'kind'], // no core in a thread here
      [{ kind: 'gremlin' }, 'kind'],
    ];
    for (const [plan, field] of wrong)
      assert.throws(
        () => faults.inject(plan as FaultPlan),
        (error) => {
          withCode('WD_E_EINVAL')(error);
          const { details } = error as { details: Record<string, unknown> };
          assert.equal(details['field'], field);
          assert.ok(Array.isArray(details['allowed']));
          return true;
        },
      );
    assert.deepEqual(faults.list(), []);
  });
  it('ends one plan or all, and keeps them in the record', () => {
    const { faults } = rigOf();
    const first = faults.inject({ kind: 'cqe-error' });
    faults.inject({ kind: 'stall' });
    faults.inject({ kind: 'lost-doorbell' });
    assert.equal(faults.clear(first.id), 1);
    assert.equal(faults.clear(first.id), 0);
    assert.equal(faults.clear(), 2);
    assert.deepEqual(
      [faults.isActive, faults.list().map(({ isActive }) => isActive)],
      [false, [false, false, false]],
    );
  });
});

describe('an injected fault', () => {
  it('flips the bit of the SQE that it names, and no other', () => {
    const { queue, submit, faults } = rigOf();
    faults.inject({ kind: 'sqe-bit-flip', bit: 7 * 32 + 28 }); // SQE type 3 becomes 2
    const slot = submit();
    assert.equal(queue.status(slot), 0x02);
    assert.equal(queue.sqe(slot)[7]! >>> 28, 2);
    assert.equal(queue.status(submit()), 0);
  });
  it('loses a doorbell: the next one brings both jobs', () => {
    const { queue, submit, faults } = rigOf();
    faults.inject({ kind: 'lost-doorbell' });
    submit();
    assert.equal(queue.cqe(0).phase, 0);
    submit();
    assert.deepEqual([queue.cqe(0).phase, queue.cqe(1).phase], [1, 1]);
  });
  it('delivers a late doorbell late, and not at all when a later one has overtaken it', () => {
    const { rig, queue, submit, faults } = rigOf();
    faults.inject({ kind: 'late-doorbell', delayMs: 20, count: 2 });
    submit();
    assert.equal(queue.cqe(0).phase, 0);
    rig.clock.advance(20);
    assert.equal(queue.cqe(0).phase, 1);
    submit();
    submit();
    assert.equal(queue.cqe(2).phase, 1);
    rig.clock.advance(20);
    assert.equal(queue.cqe(3).phase, 0);
    assert.equal(rig.device.statistics(3)?.operations, 3);
  });
  it('loses an interrupt: the event is in the EQ and comes with the next one', () => {
    const { rig, queue, submit, faults } = rigOf();
    faults.inject({ kind: 'lost-interrupt' });
    queue.ringCq(0, true);
    submit();
    assert.deepEqual(rig.interrupts, []);
    assert.equal(rig.device.read32(0x8), 1, 'the source bit stands');
    queue.ringCq(1, true);
    submit();
    assert.deepEqual(rig.interrupts, [3, 3]);
  });
  it('delays the data of a job, and completions stay in order', async () => {
    const { rig, queue, submit, faults } = rigOf();
    faults.inject({ kind: 'slow-dma', delayMs: 50 });
    submit();
    submit();
    assert.equal(queue.cqe(0).phase, 0);
    rig.clock.advance(50);
    await new Promise((next) => setImmediate(next));
    assert.deepEqual([queue.cqe(0).sqHead, queue.cqe(1).sqHead, queue.cqe(1).phase], [0, 1, 1]);
    assert.equal(queue.status(0), 0);
  });
  it('holds an access until the plan is cleared, then aborts it', async () => {
    const { queue, submit, faults } = rigOf();
    const { id } = faults.inject({ kind: 'stall' });
    submit();
    await new Promise((next) => setImmediate(next));
    assert.equal(queue.cqe(0).phase, 0);
    faults.clear(id);
    await new Promise((next) => setImmediate(next));
    assert.deepEqual([queue.cqe(0).phase, queue.status(0)], [1, 0x41]);
  });
  it('gives a queue up whose CQE cannot be written, and reports it in the AEQ', () => {
    const { rig, queue, submit, faults } = rigOf();
    let reported = 0;
    rig.device.onInterrupt('aeq', () => reported++);
    faults.inject({ kind: 'cqe-error' });
    submit();
    submit();
    assert.deepEqual([queue.cqe(0).phase, queue.cqe(1).phase, reported], [0, 0, 1]);
    assert.equal(rig.device.read32(0x10_40b4), 1, 'QM_DFX_CQE_ERR_CNT');
  });
  it('raises a RAS error that stands in the status register by its bit', () => {
    const { rig, faults } = rigOf();
    rig.device.write32(0x10_0004, 0); // unmask
    rig.device.write32(0x30_10a4, 0);
    faults.inject({ kind: 'ras', severity: 'ce', error: 'qm_ecc_1bit' });
    faults.inject({ kind: 'ras', severity: 'nfe' });
    assert.equal(rig.device.read32(0x10_0008), 1 << 3);
    assert.equal(rig.device.read32(0x30_10ac), 1 << 1);
  });
});
