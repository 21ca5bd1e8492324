/** `npm run test:abuse -- --scenario NAME|all [--seconds N]`: attackers and honest clients, each in a process of its own, on another CPU than the service. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LOAD_PIN, SERVER_PIN } from '../../bench/http-bench.ts';
import { markdownReport, type Verdict } from '../trust/report.ts';
import { processFigures, type ServiceProcess, startServiceProcess } from '../trust/service-process.ts';
import type { Attackers } from './attacker-process.ts';
import type { HonestLoad, HonestReport } from './honest-process.ts';

const MIB = 1024 * 1024;
const RSS_EVERY_MS = 50;
const pathOf = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

const { values } = parseArgs({
  options: { scenario: { type: 'string', default: 'all' }, seconds: { type: 'string', default: '20' } },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error(`--seconds ${values.seconds}: a number over 0`);

const children = new Set<ChildProcess>();

/** A client's process, on another CPU than the service where there is one. */
function forkClient(name: string, ...args: string[]): ChildProcess {
  const [execPath = '', ...execArgv] = [...LOAD_PIN, process.execPath];
  const child = fork(pathOf(name), args, { execPath, execArgv });
  children.add(child);
  return child;
}

/** Attackers who have made what they will send, because that takes longer than an honest request may. */
async function prepare(service: ServiceProcess, attackers: Attackers): Promise<ChildProcess> {
  const child = forkClient('attacker-process', service.url, JSON.stringify(attackers));
  await once(child, 'message');
  return child;
}

/** Resolves when all attackers are there. */
async function begin(child: ChildProcess): Promise<void> {
  child.send('begin');
  await once(child, 'message');
}

async function attack(service: ServiceProcess, attackers: Attackers): Promise<ChildProcess> {
  const child = await prepare(service, attackers);
  await begin(child);
  return child;
}

/** Connects, and begins what `meanwhile` does when all connections are there, so that its beginning is measured too. */
async function honest(load: HonestLoad, meanwhile?: () => Promise<unknown>): Promise<HonestReport> {
  const child = forkClient('honest-process', JSON.stringify(load));
  await once(child, 'message');
  const reported = once(child, 'message');
  await meanwhile?.();
  const [report] = (await reported) as [HonestReport];
  return report;
}

const startService = (flags: string[] = []): Promise<ServiceProcess> =>
  startServiceProcess(flags, 0, SERVER_PIN);

const rssOf = ({ pid }: ServiceProcess): number => processFigures(pid).rssBytes;

/** The highest RSS until `stop` is called. */
function watchRss(service: ServiceProcess): { stop(): number } {
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, rssOf(service))), RSS_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

const shown = ({ requests, failures, p50, p99, max }: HonestReport): string =>
  `p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)}, ${failures} of ${requests} failed`;

/** A thousand. */
const HOSTILE: Attackers = {
  slowHead: 200,
  slowBody: 200,
  halfOpenBody: 200,
  pings: 200,
  unreadAnswer: 100,
  garbage: 50,
  guesses: 48,
  bombs: 2,
  unreadMib: 64,
};

const SCENARIOS: Record<string, () => Promise<Verdict[]>> = {
  /** 1000 honest connections, then the same beside 1000 hostile ones of every kind. */
  async crowd() {
    const service = await startService();
    const load = { url: service.url, connections: 1000, rate: 200, seconds };
    await honest({ ...load, seconds: 5 });
    const alone = await honest(load);
    const attackers = await prepare(service, HOSTILE);
    const beside = await honest(load, () => begin(attackers));
    service.kill('SIGTERM');
    return [
      {
        claim: 'p99 of 1000 honest connections beside 1000 hostile ones is below 3 × its value without them',
        measured: `alone: ${shown(alone)}; beside: ${shown(beside)}; × ${(beside.p99 / alone.p99).toFixed(2)}`,
        holds: beside.p99 < 3 * alone.p99,
      },
      {
        claim: 'no honest request fails',
        measured: `${alone.failures} and ${beside.failures}`,
        holds: alone.failures + beside.failures === 0,
      },
    ];
  },

  /** Who stands still must cost little. */
  async standing() {
    const service = await startService();
    const load = { url: service.url, connections: 20, rate: 50, seconds };
    await honest({ ...load, seconds: 5 });
    const before = rssOf(service);
    await attack(service, { halfOpenBody: 500, unreadAnswer: 20, unreadMib: 768 });
    const watch = watchRss(service);
    const beside = await honest(load);
    const most = watch.stop();
    service.kill('SIGTERM');
    return [
      {
        claim:
          'beside 500 half-open bodies and 20 answers of 768 MiB never read, others are served within 1 s',
        measured: shown(beside),
        holds: beside.max < 1000 && beside.failures === 0,
      },
      {
        claim: 'they cost less than 128 MiB',
        measured: `RSS ${mib(before)} before, ${mib(most)} at most`,
        holds: most - before < 128 * MIB,
      },
    ];
  },

  /** One client inflates 5 GiB and reads as fast as it can. */
  async beside() {
    const service = await startService();
    const load = { url: service.url, connections: 4, rate: 40, seconds };
    await honest({ ...load, seconds: 5 });
    const bomb = await attack(service, { bombs: 1, bombMib: 5120 });
    const beside = await honest(load);
    const isRunning = bomb.exitCode === null;
    bomb.kill();
    service.kill('SIGTERM');
    return [
      {
        claim: 'a small request beside a bomb of 5 GiB takes less than 100 ms',
        measured: `${shown(beside)}${isRunning ? '' : ' (the bomb was over)'}`,
        holds: beside.max < 100 && beside.failures === 0,
      },
    ];
  },

  /** Eight clients send bombs of 1000:1 for as long as it takes. */
  async bombs() {
    const verdicts: Verdict[] = [];
    for (const limitMib of [1, 16, 256]) {
      const service = await startService(['--max-output', `${limitMib}MiB`]);
      await honest({ url: service.url, connections: 4, rate: 40, seconds: 3 });
      const before = rssOf(service);
      const watch = watchRss(service);
      await attack(service, { bombs: 8 });
      const beside = await honest({ url: service.url, connections: 4, rate: 40, seconds });
      const most = watch.stop();
      service.kill('SIGTERM');
      verdicts.push({
        claim: `bombs cost less than --max-output ${limitMib}MiB + 64 MiB`,
        measured: `RSS ${mib(before)} before, ${mib(most)} at most; honest: ${shown(beside)}`,
        holds: most - before < (limitMib + 64) * MIB,
      });
      endChildren();
    }
    return verdicts;
  },
};

function endChildren(): void {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
}

const names = values.scenario === 'all' ? Object.keys(SCENARIOS) : [values.scenario];
const descriptors = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
process.stdout.write(
  `${new Date().toISOString()}, ${cpus()[0]?.model.trim() ?? arch()}, ${cpus().length} cores, Node ${process.version}, ${descriptors} descriptors\n\n`,
);
if (Number(descriptors) < 4096) throw new Error(`${descriptors} descriptors are too few: ulimit -n 4096`);
const verdicts: Verdict[] = [];
for (const name of names) {
  const scenario = SCENARIOS[name];
  if (scenario === undefined)
    throw new Error(`--scenario ${name}: one of all, ${Object.keys(SCENARIOS).join(', ')}`);
  try {
    verdicts.push(...(await scenario()));
  } finally {
    endChildren();
  }
}
process.stdout.write(`${markdownReport(verdicts)}\n`);
process.exitCode = verdicts.every(({ holds }) => holds) ? 0 : 1;
