import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { WarpDriveError } from '../../shared/src/problem.ts';
import type { QueueSnapshot } from '../../shared/src/telemetry.ts';
import type { CodecStream } from '../src/codec/codec.ts';
import type { Host } from '../src/host.ts';
import { cut, jsonLines, mixed, noise, randomFrom } from './support/corpus.ts';
import { withCode } from './support/errors.ts';
import { libraryOf, openHost, outcomeOf, settled, slotsTaken, through } from './support/hosts.ts';

const JOB_BYTES = 32 * 1024;
const OPTIONS = { jobBytes: JOB_BYTES, inlineBytes: 4 * 1024 };
const MIB = 1024 * 1024;

/** Resolves with the stream's error, or undefined, once it is closed. */
const closed = (stream: CodecStream): Promise<unknown> =>
  new Promise((resolve) => {
    let error: unknown;
    stream.on('error', (cause) => {
      error = cause;
    });
    stream.on('close', () => resolve(error));
  });

describe('limits', () => {
  let host: Host;
  before(async () => {
    host = await openHost(OPTIONS);
  });
  after(() => host.close());

  it('take input up to maxInputBytes and refuse one byte more, in both directions', async () => {
    const body = jsonLines(50_000);
    const packed = gzipSync(body);
    const { codec } = host;
    const open = (direction: string, maxInputBytes: number): CodecStream =>
      direction === 'compress'
        ? codec.compressStream({ format: 'gzip', level: 1, maxInputBytes })
        : codec.decompressStream({ format: 'gzip', maxInputBytes });
    for (const [direction, input] of [
      ['compress', body],
      ['decompress', packed],
    ] as const)
      for (const size of [1000, 1 << 20]) {
        await through(open(direction, input.length), cut(input, size));
        const { error } = await outcomeOf(open(direction, input.length - 1), cut(input, size));
        assert.ok(withCode('WD_E_LIMIT_INPUT')(error), direction);
        assert.deepEqual((error as WarpDriveError).details, {
          limitBytes: input.length - 1,
          measured: 'input',
        });
      }
  });
  it('give output up to maxOutputBytes and refuse one byte more without sending it', async () => {
    for (const bytes of [1, 1000, 300 * 1024]) {
      const body = jsonLines(bytes);
      const packed = gzipSync(body);
      const open = (maxOutputBytes: number): CodecStream =>
        host.codec.decompressStream({ format: 'gzip', maxOutputBytes });
      assert.ok((await through(open(bytes), [packed])).equals(body));
      if (bytes === 1) continue; // 0 means no limit
      const { error, output } = await outcomeOf(open(bytes - 1), [packed]);
      assert.ok(withCode('WD_E_LIMIT_OUTPUT')(error));
      assert.ok(output.length <= bytes - 1);
    }
  });
  it('refuse an expansion over maxRatio once a mebibyte came out, and none below', async () => {
    const bomb = gzipSync(Buffer.alloc(8 * MIB));
    const { error, output } = await outcomeOf(
      host.codec.decompressStream({ format: 'gzip', maxRatio: 100 }),
      [bomb],
    );
    assert.ok(withCode('WD_E_LIMIT_RATIO')(error));
    assert.ok(output.length <= 2 * MIB);
    const small = gzipSync(Buffer.alloc(MIB));
    assert.equal(
      (await through(host.codec.decompressStream({ format: 'gzip', maxRatio: 2 }), [small])).length,
      MIB,
    );
    const fair = gzipSync(mixed(MIB + 200_000));
    await through(host.codec.decompressStream({ format: 'gzip', maxRatio: 100 }), cut(fair, 10_000));
  });
  it('count 0 as none', async () => {
    const body = Buffer.alloc(2 * MIB);
    const stream = host.codec.decompressStream({
      format: 'gzip',
      maxInputBytes: 0,
      maxOutputBytes: 0,
      maxRatio: 0,
    });
    assert.equal((await through(stream, [gzipSync(body)])).length, body.length);
  });
  it('free their slots when they strike', () => assert.equal(slotsTaken(host), 0));
});

describe('a stream that goes away', () => {
  for (const cores of [0, 1])
    it(`frees its slots at whatever point it is destroyed, with ${cores} threads`, async () => {
      const host = await openHost({ ...OPTIONS, cores });
      const body = mixed(8 * JOB_BYTES);
      const packed = gzipSync(body);
      const random = randomFrom(11);
      for (let round = 0; round < 40; round++) {
        const stream =
          round % 2 === 0
            ? host.codec.compressStream({ format: 'gzip', level: 1 })
            : host.codec.decompressStream({ format: 'gzip' });
        const end = closed(stream);
        stream.resume();
        const input = round % 2 === 0 ? body : packed;
        for (const piece of cut(input.subarray(0, Math.floor(random() * input.length)), 20_000))
          stream.write(piece);
        for (let turns = Math.floor(random() * 6); turns > 0; turns--) await Promise.resolve();
        if (random() < 0.5) await new Promise(setImmediate);
        stream.destroy();
        await end;
      }
      // a stream after them all gets through, behind whatever of theirs still runs
      assert.ok(
        gunzipSync(await through(host.codec.compressStream({ format: 'gzip', level: 1 }), [body])).equals(
          body,
        ),
      );
      while (slotsTaken(host) > 0) await new Promise(setImmediate);
      assert.equal(libraryOf(host).small.waiters + libraryOf(host).large.waiters, 0);
      await host.close();
    });
  it('ends with WD_E_ABORTED and leaves no listener when its signal aborts', async () => {
    const host = await openHost(OPTIONS);
    for (const when of ['before', 'at once', 'later'] as const)
      for (const direction of ['compress', 'decompress'] as const) {
        const controller = new AbortController();
        const { signal } = controller;
        if (when === 'before') controller.abort();
        const stream =
          direction === 'compress'
            ? host.codec.compressStream({ format: 'gzip', level: 1, signal })
            : host.codec.decompressStream({ format: 'gzip', signal });
        const end = closed(stream);
        stream.resume();
        if (when !== 'before')
          stream.write(direction === 'compress' ? noise(3 * JOB_BYTES) : gzipSync(noise(90_000)));
        if (when === 'later') await new Promise(setImmediate);
        controller.abort();
        const error = await end;
        assert.ok(withCode('WD_E_ABORTED')(error), `${direction} ${when}: ${error}`);
        await settled();
        assert.equal(getEventListeners(signal, 'abort').length, 0, `${direction} ${when}`);
      }
    assert.equal(slotsTaken(host), 0);
    await host.close();
  });
  it('gives its turn up when it dies while it waits for a slot, and touches no other stream’s context', async () => {
    const host = await openHost(OPTIONS);
    const library = libraryOf(host);
    const held = [library.small, library.large].flatMap((pool) => {
      const slots = [];
      for (let slot = pool.tryAcquire(); slot; slot = pool.tryAcquire()) slots.push({ pool, slot });
      return slots;
    });
    const dying = host.codec.decompressStream({ format: 'gzip' });
    const end = closed(dying);
    dying.write(gzipSync(noise(2000)));
    await settled();
    assert.equal(library.small.waiters, 1);
    dying.destroy();
    await end;
    const body = mixed(200_000);
    const packed = gzipSync(body);
    const living = host.codec.decompressStream({ format: 'gzip' }); // gets the context that the dying stream had
    const before = host.view.queues().reduce((sum, { operations }) => sum + operations, 0);
    const result = through(living, cut(packed, 3000));
    await settled();
    for (const { pool, slot } of held.splice(0)) pool.release(slot);
    assert.ok((await result).equals(body));
    const jobs =
      host.view.queues().reduce((sum, { operations, errors }) => sum + operations + errors, 0) - before;
    assert.ok(jobs > 0);
    assert.ok(
      host.view.queues().every(({ errors }) => errors === 0),
      'the dead stream ran a job',
    );
    assert.equal(slotsTaken(host), 0);
    await host.close();
  });
});

describe('a reader that stops', () => {
  it('stops the writer after a bounded number of bytes, when compressing', async () => {
    const host = await openHost(OPTIONS);
    const stream = host.codec.compressStream({ format: 'gzip', level: 1 });
    let taken = 0;
    const block = noise(JOB_BYTES);
    const feed = (): void => {
      stream.write(block, (error) => {
        if (error) return;
        taken += block.length;
        feed();
      });
    };
    feed();
    await settled();
    const stalled = taken;
    await settled();
    assert.equal(taken, stalled);
    assert.ok(taken <= 8 * JOB_BYTES, `${taken} bytes were taken`);
    assert.ok(stream.readableLength <= 8 * JOB_BYTES);
    assert.equal(slotsTaken(host), 0, 'a stalled reader holds no slot');
    stream.destroy();
    await host.close();
  });
  it('stops a bomb after a bounded number of bytes, when decompressing', async () => {
    const host = await openHost(OPTIONS);
    const stream = host.codec.decompressStream({ format: 'gzip' });
    stream.write(gzipSync(Buffer.alloc(12 * MIB)));
    await settled();
    assert.ok(stream.readableLength <= MIB, `${stream.readableLength} bytes were made`);
    assert.equal(slotsTaken(host), 0);
    let read = 0;
    stream.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    const ended = new Promise((resolve) => stream.on('end', resolve));
    stream.end();
    await ended;
    assert.equal(read, 12 * MIB);
    await host.close();
  });
  it('starves nobody: others get through while many readers stand still', async () => {
    const host = await openHost(OPTIONS);
    const block = noise(JOB_BYTES);
    const stuck = Array.from({ length: 40 }, () => {
      const stream = host.codec.compressStream({ format: 'gzip', level: 1 });
      for (let i = 0; i < 10; i++) stream.write(block);
      return stream;
    });
    await settled();
    const body = mixed(5 * JOB_BYTES);
    const packed = await through(host.codec.compressStream({ format: 'gzip', level: 1 }), [body]);
    assert.ok(gunzipSync(packed).equals(body));
    for (const stream of stuck) stream.destroy();
    await host.close();
  });
});

describe('counters', () => {
  const sum = (
    queues: QueueSnapshot[],
    operation: string,
    field: 'bytesIn' | 'bytesOut' | 'operations',
  ): number =>
    queues.filter((queue) => queue.operation === operation).reduce((total, queue) => total + queue[field], 0);

  for (const mode of ['sva', 'vfio', 'native', 'noiommu'] as const)
    it(`add up to what was sent, in mode ${mode}, and no access faults`, async () => {
      const host = await openHost({ ...OPTIONS, mode, queues: 6 });
      const bodies = [1, 1000, 4096, JOB_BYTES, JOB_BYTES + 1, 10 * JOB_BYTES].map((bytes) =>
        mixed(bytes, bytes),
      );
      const packed = await Promise.all(
        bodies.map((body) =>
          through(host.codec.compressStream({ format: 'gzip', level: 1 }), cut(body, 7000)),
        ),
      );
      const total = bodies.reduce((bytes, body) => bytes + body.length, 0);
      const queues = host.view.queues();
      assert.equal(sum(queues, 'compress', 'bytesIn'), total);
      assert.equal(sum(queues, 'compress', 'operations'), 1 + 1 + 1 + 1 + 2 + 10);
      const plain = await Promise.all(
        packed.map((data) => through(host.codec.decompressStream({ format: 'gzip' }), cut(data, 7000))),
      );
      for (const [i, data] of plain.entries()) assert.ok(data.equals(bodies[i]!));
      const after = host.view.queues();
      assert.equal(sum(after, 'decompress', 'bytesOut'), total);
      const headers = 10 * packed.length;
      const packedBytes = packed.reduce((bytes, data) => bytes + data.length, 0);
      assert.equal(sum(after, 'decompress', 'bytesIn'), packedBytes - headers);
      for (const queue of after) {
        assert.deepEqual(
          [queue.errors, queue.inFlight, queue.busy, queue.state, queue.mode],
          [0, 0, 0, 'started', mode],
        );
        assert.ok(queue.doorbells >= (queue.operations > 0 ? 1 : 0));
      }
      assert.deepEqual(host.view.faults(), []);
      assert.equal(
        host.view.devices()[0]!.cores.reduce((jobs, core) => jobs + core.jobs, 0),
        after.reduce((jobs, { operations }) => jobs + operations, 0),
      );
      await host.close();
    });
  it('count many streams at once, over threads, and every stream gets its own bytes', async () => {
    const host = await openHost({ ...OPTIONS, cores: 2, queues: 6 });
    const streams = Array.from({ length: 40 }, (_, i) => mixed(1 + ((i * 7919) % 120_000), i));
    await Promise.all(
      streams.map(async (body) => {
        const packed = await through(
          host.codec.compressStream({ format: 'zlib', level: 1 }),
          cut(body, 30_000),
        );
        const plain = await through(host.codec.decompressStream({ format: 'auto' }), cut(packed, 10_000));
        assert.ok(plain.equals(body));
      }),
    );
    const queues = host.view.queues();
    assert.equal(
      sum(queues, 'compress', 'bytesIn'),
      streams.reduce((bytes, body) => bytes + body.length, 0),
    );
    assert.ok(queues.every(({ inFlight, errors }) => inFlight === 0 && errors === 0));
    assert.equal(slotsTaken(host), 0);
    await host.close();
  });
});

describe('createHost', () => {
  it('has an mdev for each queue and a device with its free queues', async () => {
    const host = await openHost({ queues: 5 });
    const [device] = host.view.devices();
    assert.equal(device!.queuesTotal - device!.queuesFree, 5);
    assert.equal(host.view.queues().length, 5);
    assert.ok(host.view.queues().every(({ owner, depth }) => owner.pid === process.pid && depth === 1024));
    await host.close();
  });
  it('opens more queues than the default function has when it is asked to', async () => {
    const host = await openHost({ queues: 65 });
    assert.equal(host.view.queues().length, 65);
    assert.equal(host.view.devices()[0]?.queuesTotal, 65);
    await host.close();
  });
  it('fails streams that are open at its close, and new ones, with an error of the catalogue', async () => {
    const host = await openHost(OPTIONS);
    const open = host.codec.compressStream({ format: 'gzip', level: 1 });
    const end = closed(open);
    open.resume();
    open.write(jsonLines(100));
    await host.close();
    open.end();
    assert.ok((await end) instanceof WarpDriveError);
    const { error } = await outcomeOf(host.codec.compressStream({ format: 'gzip', level: 1 }), [
      jsonLines(100),
    ]);
    assert.ok(error instanceof WarpDriveError);
  });
});
