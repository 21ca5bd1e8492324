import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeviceRig, STATEFUL, STREAM_NEW } from '../../test/support/device-rig.ts';

/** Starts a stream on the first core, occupies that core, and goes on with the stream. @returns jobs by core */
function continued(operation: 'compress' | 'decompress', pasid = 0): number[] {
  const rig = new DeviceRig({ heldCores: 2, capacity: 1 });
  const [queue, other, next] = [
    rig.startQueue(0, { operation }),
    rig.startQueue(1, { operation }),
    rig.startQueue(2, { operation, pasid }),
  ];
  const source = rig.place(Buffer.alloc(64));
  const job = { source, bytes: 64, destination: rig.place(Buffer.alloc(4096)), room: 4096 };
  const context = rig.place(Buffer.alloc(0), 0x10000) + 64;
  queue.submit({ ...job, context, flags: STATEFUL | STREAM_NEW });
  rig.cores[0]?.finish();
  other.submit(job);
  next.submit({ ...job, context, flags: STATEFUL });
  return rig.cores.map(({ held }) => held.length);
}

describe('CoreChoice where cores keep inflate state to themselves', () => {
  it('keeps a decompress stream on the core where it began, in whichever queue it goes on', () =>
    assert.deepEqual(continued('decompress'), [1, 0]));
  it('lets a compress stream go to any core: its state is in its context', () =>
    assert.deepEqual(continued('compress'), [1, 1]));
  it('takes the same context address of another process for another stream', () =>
    assert.deepEqual(continued('decompress', 7), [1, 1]));
});
