import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { randomFrom } from '../support/corpus.ts';
import { ADMIN_TOKEN, type ServiceProcess } from './service-process.ts';

const VICTIM = fileURLToPath(new URL('./victim-process.js', import.meta.url));
const PAUSE_MS = 700;
const VICTIM_LIFE_MS = 400;

/** What goes wrong around a service all day: resets, and attached processes that are killed at work. */
export class Disturbances {
  readonly counts = { queueReset: 0, processKilled: 0, refused: 0 };
  private readonly random: () => number;
  private running: Promise<void> | undefined;
  private isStopping = false;

  constructor(
    private readonly service: ServiceProcess,
    seed: number,
  ) {
    this.random = randomFrom(seed);
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.running;
  }

  summary(): string {
    const { queueReset, processKilled, refused } = this.counts;
    return `${queueReset} queue resets, ${processKilled} attached processes killed, ${refused} refused`;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      await sleep(PAUSE_MS * (0.5 + this.random()));
      if (this.random() < 0.5) {
        const isReset = await resetSomeQueue(this.service, this.random);
        this.counts[isReset ? 'queueReset' : 'refused']++;
      } else if (await killVictim(this.service, this.random)) this.counts.processKilled++;
    }
  }
}

/** Resets one of the service's queues. @returns whether it was done */
export async function resetSomeQueue(service: ServiceProcess, random: () => number): Promise<boolean> {
  const { queues } = (await (await fetch(`${service.url}/v1/queues`)).json()) as { queues: { id: string }[] };
  const queue = queues[Math.floor(random() * queues.length)];
  if (!queue) return false;
  const answer = await fetch(`${service.url}/v1/queues/${encodeURIComponent(queue.id)}/reset`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  await answer.arrayBuffer();
  return answer.ok;
}

/** A process that compresses through a queue of its own dies by SIGKILL, at any moment; it may be stopped for a while before. */
export async function killVictim(
  service: ServiceProcess,
  random: () => number,
  stoppedMs = 0,
): Promise<boolean> {
  if (!service.attachSocket) return false;
  const victim: ChildProcess = fork(VICTIM, [service.attachSocket], { stdio: 'ignore' });
  const gone = new Promise((resolve) => victim.once('exit', resolve));
  await sleep(VICTIM_LIFE_MS * random() + 100);
  if (stoppedMs > 0) {
    victim.kill('SIGSTOP');
    await sleep(stoppedMs);
    victim.kill('SIGCONT');
  }
  victim.kill('SIGKILL');
  await gone;
  return true;
}
