import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { FaultPlan } from '../../shared/src/fault-injection.ts';
import type { StreamResult } from '../src/codec/codec.ts';
import { createHost, type Host, type HostOptions } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import { mixed } from './support/corpus.ts';

const PLAIN = mixed(1_500_000, 7);
/** Short limits, so that what hangs is found soon; large jobs go to a core in a thread, small ones are polled. */
const OPTIONS: HostOptions = {
  mode: 'sva',
  core: 'auto',
  cores: 1,
  queues: 4,
  inlineBytes: 4096,
  engineLimitMs: 400,
  jobDeadlineMs: 1500,
};
const ENCODERS = { gzip: gzipSync, zlib: deflateSync, deflate: deflateRawSync };
type Format = keyof typeof ENCODERS;
const STEP = 40_000;

interface Inflated {
  plain: Buffer;
  result: StreamResult;
}

/** Writes in steps; `between` runs before each step but the first, when the output of those before has come. */
async function inflate(
  host: Host,
  format: Format,
  body: Buffer,
  between: (step: number) => Promise<unknown> | unknown = () => {},
): Promise<Inflated> {
  const stream = host.codec.decompressStream({ format });
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve, reject) => stream.once('end', resolve).once('error', reject));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const isOver = ended.then(
    () => true,
    () => true,
  );
  for (let at = 0; at < body.length; at += STEP) {
    if (at > 0) await between(at / STEP);
    const written = new Promise<void>((next) => stream.write(body.subarray(at, at + STEP), () => next()));
    await Promise.race([written, isOver]);
  }
  stream.end();
  await ended;
  return { plain: Buffer.concat(chunks), result: stream.result() };
}

function adminOf(host: Host) {
  const { admin } = host.view;
  assert.ok(admin);
  return admin;
}

async function withHost(options: Partial<HostOptions>, run: (host: Host) => Promise<void>): Promise<void> {
  const host = await createHost({ ...OPTIONS, ...options }, silentLog);
  try {
    await run(host);
  } finally {
    await host.close();
  }
}

/** The stack's timers keep no process alive; a service has its socket for that. */
let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => {}, 1000);
});
after(() => clearInterval(alive));

const FAULTS: FaultPlan[] = [
  { kind: 'core-hang' },
  { kind: 'core-crash' },
  { kind: 'lost-interrupt' },
  { kind: 'lost-doorbell' },
  { kind: 'completion-error' },
  { kind: 'completion-error', status: 0x41 },
  { kind: 'cqe-error' },
  { kind: 'stall' },
  { kind: 'ras', severity: 'nfe' },
  // the device answers when the job was given up long ago
  { kind: 'slow-dma', delayMs: 2200 },
  { kind: 'late-doorbell', delayMs: 2200 },
];
/** The core of whose contexts a copy could be taken is treated as all others. */
const BY_CORE = [
  ...FAULTS.map((plan) => ({ core: 'auto', plan }) as const),
  ...FAULTS.filter(({ kind }) => kind === 'core-crash' || kind === 'stall').map(
    (plan) => ({ core: 'wasm', plan }) as const,
  ),
];

describe('a decompression over a device that fails in the middle', () => {
  for (const [number, { core, plan }] of BY_CORE.entries())
    it(`is repeated and loses no byte (${core}): ${JSON.stringify(plan)}`, () =>
      withHost({ core }, async (host) => {
        const format = (['gzip', 'zlib', 'deflate'] as const)[number % 3] ?? 'gzip';
        const { plain, result } = await inflate(host, format, ENCODERS[format](PLAIN), (step) =>
          step === 3 ? adminOf(host).injectFault(plan) : undefined,
        );
        assert.ok(plain.equals(PLAIN));
        assert.equal(result.bytesOut, PLAIN.length);
        const [record] = await adminOf(host).faultPlans();
        assert.ok(record && record.fired > 0, 'the fault struck');
      }));

  it('says that a job was given again', () =>
    withHost({}, async (host) => {
      const body = gzipSync(PLAIN);
      const { plain, result } = await inflate(host, 'gzip', body, (step) =>
        step === 2 ? adminOf(host).injectFault({ kind: 'completion-error' }) : undefined,
      );
      assert.ok(plain.equals(PLAIN));
      assert.deepEqual([result.retries, result.fallbackReason], [1, undefined]);
    }));

  for (const format of ['gzip', 'zlib', 'deflate'] as const)
    it(`is finished in software when the device fails again and again: ${format}`, () =>
      withHost({}, async (host) => {
        const body = ENCODERS[format](PLAIN);
        const { plain, result } = await inflate(host, format, body, (step) =>
          step === 4 ? adminOf(host).injectFault({ kind: 'completion-error', count: 1000 }) : undefined,
        );
        assert.ok(plain.equals(PLAIN));
        assert.deepEqual([result.retries, result.core], [2, 'zlib']);
        assert.equal(result.fallbackReason, 'WD_E_DEVICE');
        const whole = await inflate(host, format, body);
        assert.equal(result.crc32, whole.result.crc32);
      }));

  it('is finished in software when the device is gone, in the second of three members', () =>
    withHost({}, async (host) => {
      const member = gzipSync(PLAIN);
      const body = Buffer.concat([member, member, member]);
      const middle = Math.ceil((member.length * 1.5) / STEP);
      const { plain, result } = await inflate(host, 'gzip', body, (step) =>
        step === middle ? adminOf(host).injectFault({ kind: 'ras', severity: 'fe' }) : undefined,
      );
      assert.ok(plain.equals(Buffer.concat([PLAIN, PLAIN, PLAIN])));
      assert.deepEqual([result.core, result.fallbackReason], ['zlib', 'device isolated']);
    }));

  it('leaves nothing behind that a late answer could spoil: neighbours at work all the while', () =>
    withHost({ cores: 2 }, async (host) => {
      const bodies = Array.from({ length: 6 }, (_, seed) => mixed(400_000, seed));
      await adminOf(host).injectFault({ kind: 'slow-dma', delayMs: 1800, after: 3, count: 3 });
      for (let round = 0; round < 3; round++)
        await Promise.all(
          bodies.map(async (body) => {
            const { plain } = await inflate(host, 'gzip', gzipSync(body));
            assert.ok(plain.equals(body));
          }),
        );
    }));

  it('fails visibly where software is not allowed', () =>
    withHost({ fallback: 'never' }, async (host) => {
      const running = inflate(host, 'gzip', gzipSync(PLAIN), (step) =>
        step === 2 ? adminOf(host).injectFault({ kind: 'completion-error', count: 1000 }) : undefined,
      );
      await assert.rejects(running, { code: 'WD_E_DEVICE' });
    }));

  it('is repeated when all queues are reset again and again', () =>
    withHost({}, async (host) => {
      const { plain } = await inflate(host, 'gzip', gzipSync(PLAIN), async (step) => {
        if (step > 3) return;
        for (const { id } of host.view.queues()) await adminOf(host).resetQueue(id);
      });
      assert.ok(plain.equals(PLAIN));
    }));

  it('still tells corrupt data from a device that fails', () =>
    withHost({}, async (host) => {
      const body = gzipSync(PLAIN);
      body.writeUInt32LE(0, body.length - 8);
      const running = inflate(host, 'gzip', body, (step) =>
        step === 2 ? adminOf(host).injectFault({ kind: 'completion-error', count: 1000 }) : undefined,
      );
      await assert.rejects(running, { code: 'WD_E_INPUT_CORRUPT' });
    }));
});
