/** A reset or the death of a core in each state of a request: it ends exactly once, and rightly. */
import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { FaultPlan } from '../../shared/src/fault-injection.ts';
import type { StackAdmin } from '../../shared/src/telemetry.ts';
import { createHost, type Host } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { type Answer, jsonText, sendWhole } from './http-client.ts';
import { eventually, serviceOn } from './http-service.ts';

const PLAIN = jsonText(200_000);
const PACKED = gzipSync(PLAIN);
/** More than sockets hold, so that the answer waits for its reader. */
const LARGE = jsonText(24_000_000);
const CROWD = 9;

interface Stack {
  host: Host;
  admin: StackAdmin;
  service: RunningService;
}

type Blow = (stack: Stack) => Promise<unknown>;
const BLOWS: Record<string, Blow> = {
  'a reset of every queue': async ({ host, admin }) => {
    for (const { id } of host.view.queues()) await admin.resetQueue(id);
  },
  'a reset of the controller': async ({ admin }) => admin.hardwareError(),
  'the death of a core': async ({ admin }) => admin.injectFault({ kind: 'core-crash' }),
};

/** Brings the next job into a state and keeps it there for a while. */
const STATES: Record<string, FaultPlan> = {
  'submitted, not fetched': { kind: 'late-doorbell', delayMs: 400 },
  'fetched, its data on the way': { kind: 'slow-dma', delayMs: 400 },
  'in a core that hangs': { kind: 'core-hang' },
  'completed, not reaped': { kind: 'lost-interrupt' },
};

async function withStack(run: (stack: Stack) => Promise<void>): Promise<void> {
  const host = await createHost(
    {
      mode: 'sva',
      core: 'auto',
      cores: 1,
      queues: 4,
      inlineBytes: 4096,
      engineLimitMs: 400,
      jobDeadlineMs: 1000,
    },
    silentLog,
  );
  const service = await serviceOn(host);
  const { admin } = host.view;
  assert.ok(admin);
  try {
    await run({ host, admin, service });
    await eventually(
      () => (host.view.jobSlots?.() ?? []).every(({ taken }) => taken === 0),
      'all slots are free again',
    );
  } finally {
    await service.stop();
  }
}

/** Requests that ended, by the service's own count. */
async function ended({ service }: Stack): Promise<number> {
  const { totals } = (await (await fetch(`${service.url}/v1/status`)).json()) as {
    totals: { requests: number; activeStreams: number };
  };
  assert.equal(totals.activeStreams, 0);
  return totals.requests;
}

const post = ({ service }: Stack, op: 'compress' | 'decompress'): Promise<Answer> =>
  sendWhole(`${service.url}/v1/${op}`, op === 'compress' ? PLAIN : PACKED);

function check(op: 'compress' | 'decompress', answer: Answer): void {
  assert.equal(answer.status, 200, answer.body.toString());
  assert.ok(answer.complete);
  assert.ok((op === 'compress' ? gunzipSync(answer.body) : answer.body).equals(PLAIN));
}

let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => {}, 1000);
});
after(() => clearInterval(alive));

describe('a request ends exactly once, with the right bytes', () => {
  for (const [blowName, blow] of Object.entries(BLOWS)) {
    for (const [state, plan] of Object.entries(STATES))
      it(`${blowName} while its job is ${state}`, () =>
        withStack(async (stack) => {
          for (const op of ['compress', 'decompress'] as const) {
            const before = await ended(stack);
            const { id } = await stack.admin.injectFault(plan);
            const answer = post(stack, op);
            await eventually(
              async () =>
                (await stack.admin.faultPlans()).some((known) => known.id === id && known.fired > 0),
              `the job is ${state}`,
            );
            await blow(stack);
            check(op, await answer);
            assert.equal(await ended(stack), before + 1);
            await stack.admin.clearFaults();
          }
        }));

    it(`${blowName} while it waits for a slot`, () =>
      withStack(async (stack) => {
        await stack.admin.injectFault({ kind: 'slow-dma', delayMs: 400, count: 6 });
        const answers = Array.from({ length: CROWD }, () => post(stack, 'compress'));
        await eventually(
          () => (stack.host.view.jobSlots?.() ?? []).some(({ waiting }) => waiting > 0),
          'a request waits for a slot',
        );
        await blow(stack);
        for (const answer of await Promise.all(answers)) check('compress', answer);
        assert.equal(await ended(stack), CROWD);
      }));

    it(`${blowName} while its answer is being sent`, () =>
      withStack(async (stack) => {
        const request = httpRequest(`${stack.service.url}/v1/decompress`, { method: 'POST', agent: false });
        request.end(gzipSync(LARGE));
        const response = await new Promise<IncomingMessage>((resolve) => request.once('response', resolve));
        await blow(stack);
        const parts: Buffer[] = [];
        for await (const part of response) parts.push(part as Buffer);
        assert.ok(response.complete && Buffer.concat(parts).equals(LARGE));
        assert.equal(await ended(stack), 1);
        await stack.admin.clearFaults();
      }));
  }
});
