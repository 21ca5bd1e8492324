import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { FaultPlan } from '../../shared/src/fault-injection.ts';
import { createHost, type Host, type HostOptions } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { ADMIN_TOKEN, serviceOn } from './http-service.ts';

const TEXT = Buffer.from(
  Array.from({ length: 30_000 }, (_, i) => `line ${i} of a text that must survive\n`).join(''),
);

/** Short limits, so that what hangs is found soon; large jobs go to a core in a thread, small ones are polled. */
const OPTIONS: HostOptions = {
  mode: 'sva',
  core: 'wasm',
  cores: 1,
  queues: 4,
  inlineBytes: 4096,
  engineLimitMs: 400,
  jobDeadlineMs: 1500,
};

async function compress(host: Host, body: Buffer) {
  const stream = host.codec.compressStream({ format: 'gzip', level: 1 });
  stream.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { plain: gunzipSync(Buffer.concat(chunks)), result: stream.result() };
}

function adminOf(host: Host) {
  const { admin } = host.view;
  assert.ok(admin);
  return admin;
}

/** The stack's timers keep no process alive; a service has its socket for that. */
let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => {}, 1000);
});
after(() => clearInterval(alive));

const SURVIVED: FaultPlan[] = [
  { kind: 'sqe-bit-flip', bit: 7 * 32 + 28, count: 3 }, // the SQE's type
  { kind: 'sqe-bit-flip', bit: 26 * 32 }, // its tag
  { kind: 'core-hang' },
  { kind: 'core-crash', count: 2 },
  { kind: 'lost-interrupt' },
  { kind: 'lost-doorbell' },
  { kind: 'late-doorbell', delayMs: 50, count: 3 },
  { kind: 'slow-dma', delayMs: 50, count: 3 },
  { kind: 'completion-error' },
  { kind: 'completion-error', status: 0x77, count: 5 },
  { kind: 'cqe-error' },
  { kind: 'stall' },
  { kind: 'ras', severity: 'ce' },
  { kind: 'ras', severity: 'nfe' },
  { kind: 'ras', severity: 'nfe', error: 'qm_db_timeout' },
  { kind: 'ras', severity: 'fe' },
];

describe('a stream over a device with an injected fault', () => {
  for (const plan of SURVIVED)
    it(`loses no byte: ${JSON.stringify(plan)}`, async () => {
      const host = await createHost(OPTIONS, silentLog);
      try {
        const { id } = await adminOf(host).injectFault(plan);
        const { plain } = await compress(host, TEXT);
        assert.ok(plain.equals(TEXT));
        const record = (await adminOf(host).faultPlans()).find((known) => known.id === id);
        assert.ok(record && record.fired > 0, 'the fault struck');
        await adminOf(host).clearFaults();
        assert.ok((await compress(host, TEXT)).plain.equals(TEXT));
      } finally {
        await host.close();
      }
    });
});

describe('RAS errors and the kernel', () => {
  it('counts a correctable one and goes on; resets for another; isolates when the reset fails', async () => {
    const host = await createHost(OPTIONS, silentLog);
    try {
      const admin = adminOf(host);
      const states = (): string[] => host.view.queues().map(({ state }) => state);
      const before = host.view.queues().map(({ id }) => id);
      await admin.injectFault({ kind: 'ras', severity: 'ce' });
      await new Promise((next) => setImmediate(next));
      assert.deepEqual([...new Set(states())], ['started']);
      await admin.injectFault({ kind: 'ras', severity: 'nfe' });
      await new Promise((next) => setImmediate(next));
      assert.ok((await compress(host, TEXT)).plain.equals(TEXT));
      assert.equal(host.view.queues().length, before.length);
      assert.equal(host.view.devices()[0]?.isolated, false);
      await admin.injectFault({ kind: 'ras', severity: 'fe' });
      await new Promise((next) => setImmediate(next));
      assert.equal(host.view.devices()[0]?.isolated, true);
      assert.equal((await compress(host, TEXT)).result.fallbackReason, 'device isolated');
      await admin.reloadDriver();
      assert.equal((await compress(host, TEXT)).result.fallbackReason, undefined);
    } finally {
      await host.close();
    }
  });
  it('costs a running decompression its stream or nothing, never a wrong byte', async () => {
    const host = await createHost(OPTIONS, silentLog);
    try {
      const member = gzipSync(TEXT);
      const stream = host.codec.decompressStream({ format: 'gzip' });
      const chunks: Buffer[] = [];
      stream.write(member.subarray(0, 5000));
      await adminOf(host).injectFault({ kind: 'ras', severity: 'nfe' });
      stream.end(member.subarray(5000));
      let failure: unknown;
      try {
        for await (const chunk of stream) chunks.push(chunk as Buffer);
      } catch (error) {
        failure = error;
      }
      const plain = Buffer.concat(chunks);
      assert.ok(TEXT.subarray(0, plain.length).equals(plain));
      assert.ok(failure !== undefined || plain.length === TEXT.length);
    } finally {
      await host.close();
    }
  });
});

describe('/v1/faults/inject', () => {
  let host: Host;
  let service: RunningService;
  before(async () => {
    host = await createHost(OPTIONS, silentLog);
    service = await serviceOn(host);
  });
  after(() => service.stop());

  const call = async (method: string, path: string, body?: unknown, isAdmin = true) => {
    const response = await fetch(`${service.url}${path}`, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(isAdmin ? { Authorization: `Bearer ${ADMIN_TOKEN}` } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  };

  it('takes a plan, shows it, and clears it', async () => {
    const made = await call('POST', '/v1/faults/inject', {
      kind: 'slow-dma',
      delayMs: 5,
      count: 1000,
      queue: 1,
    });
    assert.equal(made.status, 201);
    const { plans } = (await call('GET', '/v1/faults/inject', undefined, false)).json;
    assert.deepEqual(
      plans.map(({ id, isActive }: { id: number; isActive: boolean }) => [id, isActive]),
      [[made.json.id, true]],
    );
    assert.deepEqual((await call('DELETE', `/v1/faults/inject/${made.json.id}`)).json, { cleared: 1 });
    await call('POST', '/v1/faults/inject', { kind: 'stall' });
    await call('POST', '/v1/faults/inject', { kind: 'core-hang' });
    assert.deepEqual((await call('DELETE', '/v1/faults/inject')).json, { cleared: 2 });
    assert.equal((await call('DELETE', '/v1/faults/inject/999')).status, 404);
  });
  it('answers 400 with the field, and the words it takes', async () => {
    for (const [body, field] of [
      [{}, 'kind'],
      [{ kind: 'gremlin' }, 'kind'],
      [{ kind: 'slow-dma' }, 'delayMs'],
      [{ kind: 'slow-dma', delayMs: 'long' }, 'delayMs'],
      [{ kind: 'stall', count: 0 }, 'count'],
      [{ kind: 'ras', severity: 'very' }, 'severity'],
      [{ kind: 'ras', severity: 'ce', error: 'x' }, 'error'],
    ] as const) {
      const { status, json } = await call('POST', '/v1/faults/inject', body);
      assert.deepEqual([status, json.field], [400, field], JSON.stringify(json));
    }
    const unknown = await call('POST', '/v1/faults/inject', { kind: 'gremlin' });
    assert.ok(unknown.json.allowed.includes('core-hang') && unknown.json.allowed.includes('hardware-error'));
    assert.equal((await call('POST', '/v1/faults/inject', { kind: 'stall', colour: 'red' })).status, 400);
  });
  it('is the administrator’s, but for looking', async () => {
    assert.equal((await call('POST', '/v1/faults/inject', { kind: 'stall' }, false)).status, 401);
    assert.equal((await call('DELETE', '/v1/faults/inject', undefined, false)).status, 401);
  });
  it('still takes hardware-error', async () => {
    const { status, json } = await call('POST', '/v1/faults/inject', { kind: 'hardware-error' });
    assert.deepEqual([status, json], [200, { kind: 'hardware-error', isolated: false }]);
  });
});
