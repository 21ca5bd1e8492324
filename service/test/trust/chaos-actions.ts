import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FAULT_KINDS, type FaultKind, type FaultPlan } from '../../../shared/src/fault-injection.ts';
import { abortSome } from './aborts.ts';
import { killVictim, resetSomeQueue } from './disturbances.ts';
import { ADMIN_TOKEN } from './service-process.ts';
import type { SupervisedService } from './supervised-service.ts';
import type { Finding, Outcome } from './verified-traffic.ts';

const script = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

export interface ChaosContext {
  service: SupervisedService;
  random: () => number;
  /** Takes what the traffic of another process came to. */
  countTraffic(counts: Record<Outcome, number>, findings: Finding[]): void;
}

interface Action {
  name: string;
  /** How often, beside the others. */
  weight: number;
  run(context: ChaosContext): Promise<unknown>;
}

/** Statuses by which a device says that it failed. Others would say that the data is bad, or that all is well. */
const FAILED_STATUSES = [0x42, 0x41, 0x77, 0x02, 0x0e];
/** Words of an SQE where the device or the driver notices a flipped bit: type (dw7 [31:28]) and tag (dw26). */
const NOTICED_BITS = [7 * 32 + 28, 7 * 32 + 29, 7 * 32 + 30, 26 * 32, 26 * 32 + 5];
const HANGS: readonly FaultKind[] = ['core-hang', 'stall', 'lost-doorbell', 'lost-interrupt', 'cqe-error'];
const RAS = ['ce', 'ce', 'nfe', 'fe'] as const;
const HOG_QUEUES = 80;

const below = (random: () => number, limit: number): number => Math.floor(random() * limit);
function pick<T>(random: () => number, from: readonly T[], otherwise: T): T {
  return from[below(random, from.length)] ?? otherwise;
}

/** One plan, made by chance. */
function planOf(random: () => number, kind: FaultKind): FaultPlan {
  const trigger = { after: below(random, 4), count: 1 + below(random, HANGS.includes(kind) ? 1 : 6) };
  switch (kind) {
    case 'ras':
      return { kind, severity: pick(random, RAS, 'ce') };
    case 'late-doorbell':
    case 'slow-dma':
      return { kind, delayMs: 1 + below(random, 50), ...trigger };
    case 'completion-error':
      return { kind, status: pick(random, FAILED_STATUSES, 0x42), ...trigger };
    case 'sqe-bit-flip':
      return { kind, bit: pick(random, NOTICED_BITS, 0), ...trigger };
    default:
      return { kind, ...trigger };
  }
}

/** An admin call; a service that is away or refuses costs nothing. @returns the answer's JSON */
export async function admin(
  { service }: Pick<ChaosContext, 'service'>,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const answer = await fetch(service.url + path, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  }).catch(() => undefined);
  return answer?.json().catch(() => undefined);
}

/** Ends all plans, lets go what they hold, brings an isolated device back. */
export async function mend(context: Pick<ChaosContext, 'service'>): Promise<void> {
  await admin(context, 'DELETE', '/v1/faults/inject');
  await admin(context, 'PATCH', '/v1/iommu', { faultModel: 'stall', hold: false });
  const { devices = [] } = ((await admin(context, 'GET', '/v1/devices')) ?? {}) as {
    devices?: { name: string; isolated: boolean }[];
  };
  for (const { name, isolated } of devices)
    if (isolated) await admin(context, 'POST', `/v1/devices/${name}/reload`);
}

const FAULTS: readonly Action[] = FAULT_KINDS.map((kind) => ({
  name: `fault ${kind}`,
  weight: HANGS.includes(kind) ? 2 : 5,
  run: async (context) => {
    await admin(context, 'POST', '/v1/faults/inject', planOf(context.random, kind));
    if (HANGS.includes(kind)) await sleep(500 + 1500 * context.random());
    if (HANGS.includes(kind) || kind === 'ras') await mend(context);
  },
}));

export const ACTIONS: readonly Action[] = [
  ...FAULTS,
  { name: 'queue reset', weight: 5, run: ({ service, random }) => resetSomeQueue(service.process, random) },
  {
    name: 'attached process killed',
    weight: 3,
    run: ({ service, random }) => killVictim(service.process, random),
  },
  {
    name: 'attached process stopped, then killed',
    weight: 1,
    run: ({ service, random }) => killVictim(service.process, random, 500),
  },
  {
    name: 'controller reset by a hardware error',
    weight: 1,
    run: async (context) => {
      await admin(context, 'POST', '/v1/faults/inject', { kind: 'hardware-error' });
      await mend(context);
    },
  },
  {
    name: 'fault model changed',
    weight: 2,
    run: async (context) => {
      const faultModel = pick(context.random, ['none', 'pri', 'stall'], 'stall');
      await admin(context, 'PATCH', '/v1/iommu', { faultModel });
      await sleep(500 * context.random());
      await admin(context, 'PATCH', '/v1/iommu', { faultModel: 'stall' });
    },
  },
  {
    name: 'page requests held',
    weight: 1,
    run: async (context) => {
      await admin(context, 'PATCH', '/v1/iommu', { hold: true });
      await sleep(500 * context.random());
      await admin(context, 'PATCH', '/v1/iommu', { hold: false });
    },
  },
  { name: 'mdevs created and removed', weight: 3, run: createAndRemoveMdevs },
  { name: 'queues exhausted', weight: 1, run: exhaustQueues },
  {
    name: 'sockets dropped',
    weight: 3,
    run: ({ service, random }) => abortSome(service.process, 4 + below(random, 12)),
  },
  { name: 'client stopped and resumed', weight: 1, run: stopClient },
  { name: 'worker process killed', weight: 1, run: killWorker },
  { name: 'restart by SIGTERM', weight: 0.6, run: ({ service }) => service.restart('SIGTERM') },
  { name: 'restart by SIGKILL', weight: 0.6, run: ({ service }) => service.restart('SIGKILL') },
];

/** The next thing to go wrong. */
export function nextAction(random: () => number): Action {
  let at = random() * ACTIONS.reduce((sum, { weight }) => sum + weight, 0);
  for (const action of ACTIONS) {
    at -= action.weight;
    if (at < 0) return action;
  }
  throw new Error('the list of actions is not empty');
}

/** New ones come and go; one that is in use stays. */
async function createAndRemoveMdevs(context: ChaosContext): Promise<void> {
  const made: string[] = [];
  for (let i = 0; i < 4; i++) {
    const mdev = (await admin(context, 'POST', '/v1/mdevs', { type: 'hisi_zip-zip_on_open' })) as
      | { uuid?: string }
      | undefined;
    if (mdev?.uuid) made.push(mdev.uuid);
  }
  const { mdevs = [] } = ((await admin(context, 'GET', '/v1/mdevs')) ?? {}) as { mdevs?: { uuid: string }[] };
  const inUse = mdevs.find(({ uuid }) => !made.includes(uuid));
  if (inUse) await admin(context, 'DELETE', `/v1/mdevs/${inUse.uuid}`);
  for (const uuid of made) await admin(context, 'DELETE', `/v1/mdevs/${uuid}`);
}

/** Attached processes take all queues that are left, for a while; then they die. */
async function exhaustQueues({ service, random }: ChaosContext): Promise<void> {
  const { attachSocket } = service.process;
  if (!attachSocket) return;
  const hog = fork(script('hog-process'), [attachSocket, String(HOG_QUEUES)], { stdio: 'ignore' });
  const gone = once(hog, 'exit');
  await Promise.race([once(hog, 'message'), gone, sleep(5000)]);
  await resetSomeQueue(service.process, random); // the service asks for another one, and there is none
  await sleep(500 * random());
  hog.kill('SIGKILL');
  await gone;
}

async function stopClient({ service, random, countTraffic }: ChaosContext): Promise<void> {
  const client = fork(script('traffic-process'), [service.url, String(below(random, 1e6))], {
    stdio: 'ignore',
  });
  const gone = once(client, 'exit');
  for (let i = 0; i < 3; i++) {
    await sleep(300 + 300 * random());
    client.kill('SIGSTOP');
    await sleep(200 + 1000 * random());
    client.kill('SIGCONT');
  }
  client.on('message', ({ counts, findings }: { counts: Record<Outcome, number>; findings: Finding[] }) =>
    countTraffic(counts, findings),
  );
  client.send('stop');
  await gone;
}

async function killWorker({ service, random }: ChaosContext): Promise<void> {
  const workers = service.workers();
  const pid = workers[below(random, workers.length)];
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}
