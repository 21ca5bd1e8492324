import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeviceRig } from '../../../test/support/device-rig.ts';
import { SmallJobs } from './small-jobs.ts';

/** Jobs of its own for which a thread stands aside. */
function jobsAside(thread: SmallJobs): number {
  let jobs = 0;
  while (thread.areComing() && jobs < 1000) jobs++;
  return jobs;
}

describe('SmallJobs', () => {
  it('has a thread never stand aside while no small job came', () => {
    const device = new SmallJobs();
    device.add();
    assert.equal(jobsAside(new SmallJobs(device.buffer)), 0);
  });
  it('has a thread stand aside after a small job, for a few of its own', () => {
    const device = new SmallJobs();
    const thread = new SmallJobs(device.buffer);
    device.add();
    const aside = jobsAside(thread);
    assert.ok(aside > 1 && aside < 100, `${aside}`);
    assert.equal(jobsAside(thread), 0);
  });
  it('goes on while small jobs go on, and tells each thread', () => {
    const device = new SmallJobs();
    const threads = [new SmallJobs(device.buffer), new SmallJobs(device.buffer)];
    for (let i = 0; i < 100; i++) {
      if (i % 3 === 0) device.add();
      for (const thread of threads) assert.equal(thread.areComing(), true);
    }
  });
  it('counts what the polled core does, and nothing that threads do', () => {
    const smallJobs = new SmallJobs();
    const thread = new SmallJobs(smallJobs.buffer);
    const rig = new DeviceRig({ core: 'wasm', heldCores: 1, inlineBytes: 4096, smallJobs });
    const queue = rig.startQueue(0);
    const destination = rig.place(new Uint8Array(0), 0x10000);
    queue.submit({ source: rig.place(Buffer.alloc(8192)), bytes: 8192, destination });
    assert.equal(thread.areComing(), false);
    queue.submit({ source: rig.place(Buffer.alloc(4096)), bytes: 4096, destination });
    assert.equal(thread.areComing(), true);
  });
});
