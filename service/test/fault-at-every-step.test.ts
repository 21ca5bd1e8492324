/**
 * As SQLite does it: one request is run and its steps are counted; then, for each n, the n-th step fails. Each time the
 * request ends with the right bytes or visibly fails, and the next one is right. A request does no file operation.
 */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { FaultPlan } from '../../shared/src/fault-injection.ts';
import { WarpDriveError } from '../../shared/src/problem.ts';
import { createHost, type Host } from '../src/host.ts';
import { Iommu } from '../src/kernel/iommu/iommu.ts';
import { silentLog } from '../src/platform/log.ts';
import { PhysicalMemory } from '../src/platform/physical-memory.ts';
import { jsonText, sendWhole } from './http-client.ts';
import { eventually, serviceOn } from './http-service.ts';

const PLAIN = jsonText(700_000);
const PACKED = gzipSync(PLAIN);
const OPERATIONS = ['compress', 'decompress'] as const;
type Operation = (typeof OPERATIONS)[number];
/** Never reached: the steps are only counted. */
const NEVER = 1_000_000;
const STEPS_AT_MOST = 200;

/** Makes the n-th step, from 1, fail. @returns what ends that, and says how many steps there were */
type Seam = (host: Host, n: number) => Promise<() => Promise<number>>;

/** The n-th call of a method does something else. */
function callSeam<Name extends string>(
  owner: Record<Name, (...args: never[]) => unknown>,
  name: Name,
  fail: (self: unknown, args: unknown[]) => unknown,
  counts: (self: unknown) => boolean = () => true,
): Seam {
  return async (_host, n) => {
    const original = owner[name] as (this: unknown, ...args: unknown[]) => unknown;
    let seen = 0;
    Object.assign(owner, {
      [name](this: unknown, ...args: unknown[]) {
        if (counts(this) && ++seen === n) return fail(this, args);
        return original.apply(this, args);
      },
    });
    return async () => {
      Object.assign(owner, { [name]: original });
      return seen;
    };
  };
}

/** The n-th occasion of a fault plan. */
const planSeam =
  (kind: 'lost-doorbell' | 'completion-error' | 'cqe-error' | 'stall'): Seam =>
  async (host, n) => {
    const { admin } = host.view;
    assert.ok(admin);
    const plan: FaultPlan = { kind, after: n - 1 };
    const { id } = await admin.injectFault(plan);
    return async () => {
      const seen = (await admin.faultPlans()).find((known) => known.id === id)?.seen ?? 0;
      await admin.clearFaults();
      return seen;
    };
  };

const isServerSide = (self: unknown): boolean =>
  (self as { server?: unknown }).server !== undefined && (self as { server?: unknown }).server !== null;
const writes = Socket.prototype as unknown as Record<'_writeGeneric', (...args: never[]) => unknown>;

const SEAMS: Record<string, Seam> = {
  'allocation of memory': callSeam(PhysicalMemory.prototype, 'allocate', () => {
    throw new WarpDriveError('WD_E_NO_MEMORY', 'this allocation was made to fail');
  }),
  'DMA access': callSeam(Iommu.prototype, 'translateOrStall', () => undefined),
  'DMA access that nobody answers': planSeam('stall'),
  doorbell: planSeam('lost-doorbell'),
  completion: planSeam('completion-error'),
  'write of a CQE': planSeam('cqe-error'),
  'socket write': callSeam(
    writes,
    '_writeGeneric',
    (self, args) => {
      const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
      (args.at(-1) as (error: Error) => void).call(self, error);
    },
    isServerSide,
  ),
};

/** @returns whether the bytes were right; else the failure was plain to see */
async function request(url: string, operation: Operation): Promise<boolean> {
  const body = operation === 'compress' ? PLAIN : PACKED;
  const answer = await sendWhole(`${url}/v1/${operation}`, body).catch(() => undefined);
  if (!answer?.complete) return false;
  if (answer.status !== 200) {
    assert.match(answer.body.toString(), /"code":"WD_E_/);
    return false;
  }
  assert.ok((operation === 'compress' ? gunzipSync(answer.body) : answer.body).equals(PLAIN));
  return true;
}

/** One host and one service: the n-th step of the first request fails. */
async function attempt(seam: Seam, operation: Operation, n: number) {
  const host = await createHost(
    { mode: 'sva', core: 'wasm', cores: 0, queues: 2, jobDeadlineMs: 300 },
    silentLog,
  );
  const service = await serviceOn(host);
  try {
    const end = await seam(host, n);
    const isRight = await request(service.url, operation);
    const steps = await end();
    assert.ok(await request(service.url, operation), `the next request is right after step ${n}`);
    await eventually(
      () => (host.view.jobSlots?.() ?? []).every(({ taken }) => taken === 0),
      'all slots are free again',
    );
    return { steps, isRight };
  } finally {
    await service.stop();
  }
}

let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => {}, 1000);
});
after(() => clearInterval(alive));

describe('a fault at every step of a request', () => {
  for (const [name, seam] of Object.entries(SEAMS))
    for (const operation of OPERATIONS)
      it(`each ${name} of a ${operation} request`, async (t) => {
        const clean = await attempt(seam, operation, NEVER);
        assert.ok(clean.isRight);
        assert.ok(clean.steps > 0 && clean.steps < STEPS_AT_MOST, `${clean.steps} steps`);
        let right = 0;
        for (let n = 1; n <= clean.steps; n++) if ((await attempt(seam, operation, n)).isRight) right++;
        t.diagnostic(`${clean.steps} steps: ${right} ended right, ${clean.steps - right} visibly failed`);
      });
});
