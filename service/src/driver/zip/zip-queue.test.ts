import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { iova } from '../../../../shared/src/units.ts';
import { withCode } from '../../../test/support/errors.ts';
import { ScriptedQueue } from '../../../test/support/scripted-queue.ts';
import { newStream, type ZipCompletion, ZipQueue, type ZipRequest } from './zip-queue.ts';

function queueOf(hardware: 'zip-v2' | 'zip-v3' = 'zip-v3') {
  const device = new ScriptedQueue({ operation: 'compress', priority: 0 }, 2, hardware);
  const queue = new ZipQueue(device);
  const done: ZipCompletion[] = [];
  const submit = (changes: Partial<ZipRequest> = {}): boolean =>
    queue.trySubmit(requestOf(changes), (completion) => done.push(completion));
  return { device, queue, done, submit };
}

const requestOf = (changes: Partial<ZipRequest> = {}): ZipRequest => ({
  format: 'gzip',
  level: 6,
  source: iova(0x7f00_0000_1000),
  sourceBytes: 70_000,
  destination: iova(0x7f01_9abc_d000),
  destinationBytes: 0x40000,
  isFinal: true,
  ...changes,
});

/** One SQE written by hand, dword by dword, from sources.md 6.1–6.3. */
function rawSqe(words: Record<number, number>): Buffer {
  const view = new DataView(new ArrayBuffer(128));
  for (const [dword, value] of Object.entries(words)) view.setUint32(Number(dword) * 4, value, true);
  return Buffer.from(view.buffer);
}

const slotBytes = (device: ScriptedQueue, slot: number): Buffer =>
  Buffer.from(device.dus.buffer, slot * 128, 128);

describe('ZipQueue.trySubmit', () => {
  it('writes a stateless gzip SQE of type 3 with its tag in dw26', () => {
    const { device, submit } = queueOf();
    submit();
    const expected = rawSqe({
      4: 70_000,
      7: 0x3200_0000, // type 3, finish
      9: 0x0000_4003, // window 32 KiB, flat, gzip
      11: 6,
      14: 0x40000,
      18: 0x0000_1000,
      19: 0x0000_7f00,
      20: 0x9abc_d000,
      21: 0x0000_7f01,
      26: 1,
    });
    assert.deepEqual(slotBytes(device, 0), expected);
  });
  it('writes a V2 SQE of type 0 with its tag in dw13', () => {
    const { device, submit } = queueOf('zip-v2');
    submit({ format: 'zlib', isFinal: false, level: 1 });
    const expected = rawSqe({
      4: 70_000,
      7: 0,
      9: 0x0000_4002,
      11: 1,
      13: 1,
      14: 0x40000,
      18: 0x0000_1000,
      19: 0x0000_7f00,
      20: 0x9abc_d000,
      21: 0x0000_7f01,
    });
    assert.deepEqual(slotBytes(device, 0), expected);
  });
  it('writes the stream’s words of a stateful job', () => {
    const { device, submit } = queueOf();
    const stream = {
      ...newStream(iova(0x7f02_0000_0000)),
      ctxDw0: 0x81,
      ctxDw1: 2,
      ctxDw2: 3,
      checksum: 0xdeadbeef,
      isize: 99,
    };
    submit({ format: 'deflate', isFinal: false, stream });
    assert.equal(device.sqeWord(0, 7), 0x3c00_0000); // type 3, new, stateful, sync flush
    assert.equal(device.sqeWord(0, 9), 0x0000_4001);
    assert.equal(device.sqeWord(0, 22), 0x40); // hardware part, 64 bytes into the context
    assert.equal(device.sqeWord(0, 23), 0x7f02);
    assert.deepEqual(
      [15, 28, 29, 30, 31].map((dword) => device.sqeWord(0, dword)),
      [0x81, 2, 3, 99, 0xdeadbeef],
    );
    stream.isNew = false;
    submit({ format: 'deflate', isFinal: false, stream });
    assert.equal(device.sqeWord(1, 7), 0x3400_0000);
  });
  it('clears what the slot’s last job left', () => {
    const { device, submit } = queueOf();
    for (let dword = 0; dword < 32; dword++) device.setSqeWord(0, dword, 0xffff_ffff);
    submit();
    for (const dword of [0, 1, 2, 3, 5, 6, 8, 10, 12, 13, 15, 16, 17, 24, 25, 27, 28, 29, 30, 31])
      assert.equal(device.sqeWord(0, dword), 0, `dw${dword}`);
  });
  it('rings the doorbell after the descriptor is whole', () => {
    const { device, submit } = queueOf();
    let tagAtDoorbell = 0;
    device.onDoorbell = () => {
      tagAtDoorbell = device.sqeWord(0, 26);
    };
    submit();
    assert.equal(tagAtDoorbell, 1);
  });
  it('gives every job a tag of its own', () => {
    const { device, submit } = queueOf();
    for (let i = 0; i < 1023; i++) submit();
    const tags = Array.from({ length: 1023 }, (_, slot) => device.sqeWord(slot, 26));
    assert.equal(new Set(tags).size, 1023);
  });
  it('says no when the ring is full, and calls nothing', () => {
    const { queue, submit, done } = queueOf();
    for (let i = 0; i < 1023; i++) assert.equal(submit(), true);
    assert.equal(submit(), false);
    assert.equal(queue.inFlight, 1023);
    assert.equal(queue.busy, 1);
    assert.deepEqual(done, []);
  });
  it('takes 8 MiB of input and refuses one byte more (EINVAL)', () => {
    const { device, submit } = queueOf();
    assert.equal(submit({ sourceBytes: 8 * 1024 * 1024 }), true);
    assert.throws(() => submit({ sourceBytes: 8 * 1024 * 1024 + 1 }), withCode('WD_E_EINVAL', /8388609/));
    assert.equal(device.sqDoorbells.length, 1);
  });
  it('refuses when the device was reset', () => {
    const { device, submit } = queueOf();
    device.setTxStop(1);
    assert.throws(() => submit(), withCode('WD_E_DEVICE_RESET'));
  });
});

describe('ZipQueue.poll', () => {
  it('delivers what the device wrote back', () => {
    const { device, queue, done, submit } = queueOf();
    submit();
    device.complete(0, { 0: 70_000, 1: 20_000, 3: 0x100, 13: 3, 30: 70_000, 31: 0xcafe_f00d });
    assert.equal(queue.poll(), 1);
    assert.deepEqual(done, [
      {
        outcome: 'ok',
        status: 0,
        consumed: 70_000,
        produced: 20_000,
        checksum: 0xcafe_f00d,
        isize: 70_000,
        isOutputPending: false,
        isTrailerMissing: false,
        core: 'wasm',
      },
    ]);
  });
  it('names the outcome of each status code (sources.md 6.4)', () => {
    const outcomes: [number, string][] = [
      [0x00, 'ok'],
      [0x0d, 'ok'],
      [0x13, 'end'],
      [0x0e, 'output-exhausted'],
      [0x10, 'checksum-error'],
      [0x03, 'corrupt'],
      [0x41, 'dma-error'],
      [0x02, 'bad-request'],
      [0x42, 'device-error'],
      [0x0f, 'device-error'],
      [0x77, 'device-error'],
    ];
    const { device, queue, done, submit } = queueOf();
    for (const [slot, [status]] of outcomes.entries()) {
      submit();
      device.complete(slot, { 3: status });
    }
    queue.poll();
    assert.deepEqual(
      done.map(({ outcome, status }) => [status, outcome]),
      outcomes,
    );
  });
  it('carries the stream’s words over to the next job', () => {
    const { device, queue, done, submit } = queueOf();
    const stream = newStream(iova(0x1000));
    submit({ stream });
    device.complete(0, { 3: 0, 15: 0x1_0080, 28: 5, 29: 6, 30: 7, 31: 8 });
    queue.poll();
    assert.deepEqual(
      { ...stream },
      { context: 0x1000, isNew: false, ctxDw0: 0x1_0080, ctxDw1: 5, ctxDw2: 6, isize: 7, checksum: 8 },
    );
    assert.equal(done[0]?.isTrailerMissing, true);
  });
  it('refuses a completion whose tag is another job’s (EIO)', () => {
    const { device, queue, submit } = queueOf();
    submit();
    device.complete(0, { 26: 0x1234 });
    assert.throws(() => queue.poll(), withCode('WD_E_DEVICE', /tag 0x00001234 matches no job in slot 0/));
  });
  it('refuses a completion for a slot that holds no job (EIO)', () => {
    const { device, queue, submit } = queueOf();
    submit();
    device.complete(4);
    assert.throws(() => queue.poll(), withCode('WD_E_DEVICE', /slot 4/));
  });
  it('reads a V2 tag from dw13', () => {
    const { device, queue, done, submit } = queueOf('zip-v2');
    submit();
    device.complete(0, { 26: 0x5555, 1: 17 });
    queue.poll();
    assert.equal(done[0]?.produced, 17);
  });
  it('reports a reset when nothing will come any more', () => {
    const { device, queue, submit } = queueOf();
    submit();
    device.setRxStop(1);
    assert.throws(() => queue.poll(), withCode('WD_E_DEVICE_RESET'));
  });
});

describe('ZipQueue.pollOrArm', () => {
  it('arms once while jobs are out, and not when none is', () => {
    const { device, queue, submit } = queueOf();
    queue.pollOrArm();
    assert.deepEqual(device.doorbells, []);
    submit();
    queue.pollOrArm();
    assert.deepEqual(device.doorbells.at(-1), { offset: 0x1000, low: 0x0000_1002, high: 0x0001_0000 });
  });
  it('takes a completion that came between the poll and the arming', () => {
    const { device, queue, done, submit } = queueOf();
    submit();
    device.onDoorbell = ({ high }) => {
      if (high === 0x0001_0000) device.complete(0);
    };
    queue.pollOrArm();
    assert.equal(done.length, 1);
  });
  it('reaps and arms again on the completion interrupt', () => {
    const { device, done, submit } = queueOf();
    submit();
    submit();
    device.complete(0);
    device.interrupt();
    assert.equal(done.length, 1);
    assert.equal(device.doorbells.at(-1)?.high, 0x0001_0001);
  });
});

describe('ZipQueue.abandon', () => {
  it('ends every job that is out, once, in order of their slots', () => {
    const { device, queue, done, submit } = queueOf();
    for (let i = 0; i < 3; i++) submit();
    device.complete(0);
    queue.poll();
    const lost = { ...done[0]!, outcome: 'device-error' as const, status: 0xff };
    queue.abandon(lost);
    queue.abandon(lost);
    assert.deepEqual(done.slice(1), [lost, lost]);
  });
});
