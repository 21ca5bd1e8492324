import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_KINDS, type FaultPlanSnapshot } from '../../../shared/src/fault-injection.ts';
import type { DeviceSnapshot, MdevSnapshot } from '../../../shared/src/telemetry.ts';
import { randomFrom } from '../support/corpus.ts';
import { settled } from './aborts.ts';
import { admin, type ChaosContext, mend, nextAction } from './chaos-actions.ts';
import { type Sample, takeSample } from './samples.ts';
import { type Restart, SupervisedService } from './supervised-service.ts';
import { type Finding, OUTCOMES, type Outcome, VerifiedTraffic } from './verified-traffic.ts';

export interface ChaosOptions {
  seed: number;
  totalMs: number;
  /** Requests at once. */
  lanes: number;
  /** After so long all comes to rest, and what is held is compared; then a new service starts. */
  roundMs: number;
  log(line: string): void;
}

/** What a round left behind, beside what was there before it. */
export interface Leftover {
  round: number;
  figure: string;
  before: number;
  after: number;
}

export interface ChaosReport {
  counts: Record<Outcome, number>;
  findings: Finding[];
  failures: Map<string, number>;
  /** What was done, in time: ISO 8601 and name. */
  timeline: { at: string; action: string }[];
  /** By action: how often it was done. */
  actions: Map<string, number>;
  /** By fault kind: how often it struck. */
  struck: Map<string, number>;
  restarts: Restart[];
  accidents: string[];
  leftovers: Leftover[];
  rounds: number;
  samples: Sample[];
}

/** A request over this is ended by the service; one over the client's deadline is hung. */
const MAX_TIME_MS = 60_000;
const DEADLINE_MS = 80_000;
export const DRAIN_MS = 15_000;
const WARM_UP_MS = 1500;
const PAUSE_MS = 250;
const SAMPLE_MS = 2000;
const SETTLE_MS = 20_000;
/** Connections that this program's own fetch keeps open, and files that a service opens at its first need. */
const DESCRIPTORS_OF_OURS = 12;
const COMMON = ['--max-time', `${MAX_TIME_MS}ms`, '--shutdown-timeout', `${DRAIN_MS}ms`];
/** In turn. */
const CONFIGURATIONS = [
  ['--cores', '2'],
  ['--workers', '2'],
  ['--cores', '1', '--core', 'wasm'],
];

/** Rounds of everything that can go wrong, under steady traffic. The order of events follows from the seed. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  const report: ChaosReport = {
    counts,
    findings: [],
    failures: new Map(),
    timeline: [],
    actions: new Map(),
    struck: new Map(),
    restarts: [],
    accidents: [],
    leftovers: [],
    rounds: 0,
    samples: [],
  };
  const startedMs = performance.now();
  const random = randomFrom(options.seed);
  while (performance.now() - startedMs < options.totalMs) {
    const leftMs = options.totalMs - (performance.now() - startedMs);
    await runRound(report, { ...options, roundMs: Math.min(options.roundMs, leftMs) }, random, startedMs);
    const { right, failed, wrong, hung } = counts;
    options.log(`round ${report.rounds}: ${right} right, ${failed} failed, ${wrong} wrong, ${hung} hung`);
  }
  return report;
}

async function runRound(
  report: ChaosReport,
  { seed, lanes, roundMs }: ChaosOptions,
  random: () => number,
  startedMs: number,
): Promise<void> {
  const round = report.rounds++;
  const configuration = CONFIGURATIONS[round % CONFIGURATIONS.length] ?? [];
  const service = new SupervisedService([...COMMON, ...configuration]);
  await service.start();
  const addTraffic: ChaosContext['countTraffic'] = (counts, findings) => {
    for (const outcome of OUTCOMES) report.counts[outcome] += counts[outcome];
    report.findings.push(...findings);
  };
  const runTraffic = (seedOf: number, own: VerifiedTraffic = trafficOf(service, seedOf, lanes)) => {
    own.start();
    return async () => {
      await own.stop();
      addTraffic(own.counts, own.findings);
      for (const [failure, count] of own.failures) add(report.failures, failure, count);
    };
  };
  const endWarmUp = runTraffic(seed + 1000 * round);
  await sleep(WARM_UP_MS);
  await endWarmUp();
  const before = await holdings(service, startedMs);

  const endTraffic = runTraffic(seed + 1000 * round + 500);
  const watch = new Watch(service, report, startedMs);
  const context: ChaosContext = { service, random, countTraffic: addTraffic };
  const endMs = performance.now() + roundMs;
  while (performance.now() < endMs) {
    await sleep(PAUSE_MS * random());
    const action = nextAction(random);
    report.timeline.push({ at: new Date().toISOString(), action: action.name });
    await action.run(context).catch((error: Error) => add(report.failures, `action: ${error.message}`, 1));
    add(report.actions, action.name, 1);
  }
  await watch.stop();
  await mend(context);
  await endTraffic();
  await settle(service, before, report, round, startedMs);
  await service.stop();
  report.restarts.push(...service.restarts);
  report.accidents.push(...service.accidents);
}

const trafficOf = (service: SupervisedService, seed: number, lanes: number): VerifiedTraffic =>
  new VerifiedTraffic({ url: () => service.url, seed, lanes, maxBytes: 300_000, deadlineMs: DEADLINE_MS });

/** Counts the strikes of fault plans and takes samples, all along. */
class Watch {
  private readonly seen = new Map<string, number>();
  private isStopping = false;
  private readonly running: Promise<void>;

  constructor(
    private readonly service: SupervisedService,
    private readonly report: ChaosReport,
    private readonly startedMs: number,
  ) {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.running;
  }

  private async run(): Promise<void> {
    let sampledMs = 0;
    do {
      await this.countStrikes();
      if (performance.now() - sampledMs > SAMPLE_MS) {
        sampledMs = performance.now();
        const sample = await takeSample(this.service.process, this.startedMs).catch(() => undefined);
        if (sample) this.report.samples.push(sample);
      }
      await sleep(PAUSE_MS);
    } while (!this.isStopping);
    await this.countStrikes();
  }

  private async countStrikes(): Promise<void> {
    const { pid } = this.service.process;
    const answer = (await admin({ service: this.service }, 'GET', '/v1/faults/inject')) as
      | { plans?: FaultPlanSnapshot[] }
      | undefined;
    for (const { id, device, injectedAtMs, plan, fired } of answer?.plans ?? []) {
      const key = `${pid} ${device} ${id} ${injectedAtMs}`;
      add(this.report.struck, plan.kind, fired - (this.seen.get(key) ?? 0));
      this.seen.set(key, fired);
    }
  }
}

/** What a service at rest holds. */
async function holdings(service: SupervisedService, startedMs: number): Promise<Record<string, number>> {
  const held = await settled(service.process);
  const { pasids, descriptors } = await takeSample(service.process, startedMs);
  const listed = async <Row>(name: string): Promise<Row[]> => {
    const answer = (await admin({ service }, 'GET', `/v1/${name}`)) as Record<string, Row[]> | undefined;
    return answer?.[name] ?? [];
  };
  const queues = (await listed('queues')).length;
  const mdevs = await listed<MdevSnapshot>('mdevs');
  const devices = await listed<DeviceSnapshot>('devices');
  const taken = devices.reduce((sum, { queuesTotal, queuesFree }) => sum + queuesTotal - queuesFree, 0);
  // a queue that is neither free nor an mdev's is lost: as many mdevs as before could not be made
  const queuesWithoutMdev = taken - mdevs.filter(({ qpId }) => qpId >= 0).length;
  const sharedFiles = service.sharedFiles();
  return { ...held, pasids, descriptors, queues, mdevs: mdevs.length, queuesWithoutMdev, sharedFiles };
}

/** Gives what is held time to come back; what does not is in the report. */
async function settle(
  service: SupervisedService,
  before: Record<string, number>,
  report: ChaosReport,
  round: number,
  startedMs: number,
): Promise<void> {
  const limit = performance.now() + SETTLE_MS;
  for (;;) {
    const after = await holdings(service, startedMs);
    const changed = Object.entries(before).filter(([figure, value]) =>
      isKept(figure, value, after[figure] ?? 0),
    );
    if (changed.length === 0) return;
    if (performance.now() > limit) {
      for (const [figure, value] of changed)
        report.leftovers.push({ round: round + 1, figure, before: value, after: after[figure] ?? 0 });
      return;
    }
    await sleep(PAUSE_MS);
  }
}

/**
 * Fewer queues are no loss: one that was lost is opened again with the next job that needs it. Meanwhile nobody has its
 * mdev open, so that an administrator may remove it, as the chaos tries.
 */
function isKept(figure: string, before: number, after: number): boolean {
  if (figure === 'queues' || figure === 'mdevs') return after > before;
  if (figure === 'descriptors') return after > before + DESCRIPTORS_OF_OURS;
  return after !== before;
}

function add(map: Map<string, number>, key: string, count: number): void {
  map.set(key, (map.get(key) ?? 0) + count);
}

/** Of those that are missing: which fault kinds never struck. */
export const kindsThatNeverStruck = ({ struck }: ChaosReport): string[] =>
  FAULT_KINDS.filter((kind) => !((struck.get(kind) ?? 0) > 0));
