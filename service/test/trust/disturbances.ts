import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { randomFrom } from '../support/corpus.ts';
import type { ServiceProcess } from './service-process.ts';

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
    private readonly token: string,
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
      await new Promise((next) => setTimeout(next, PAUSE_MS * (0.5 + this.random())));
      if (this.random() < 0.5) await this.resetQueue();
      else await this.killVictim();
    }
  }

  private async resetQueue(): Promise<void> {
    const { queues } = (await (await fetch(`${this.service.url}/v1/queues`)).json()) as {
      queues: { id: string }[];
    };
    const queue = queues[Math.floor(this.random() * queues.length)];
    if (!queue) return;
    const answer = await fetch(`${this.service.url}/v1/queues/${encodeURIComponent(queue.id)}/reset`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${this.token}` },
    });
    await answer.arrayBuffer();
    this.counts[answer.ok ? 'queueReset' : 'refused']++;
  }

  /** A process that compresses through a queue of its own dies by SIGKILL, at any moment. */
  private async killVictim(): Promise<void> {
    if (!this.service.attachSocket) return;
    const victim: ChildProcess = fork(VICTIM, [this.service.attachSocket], { stdio: 'ignore' });
    const gone = new Promise((resolve) => victim.once('exit', resolve));
    await new Promise((next) => setTimeout(next, VICTIM_LIFE_MS * this.random() + 100));
    victim.kill('SIGKILL');
    await gone;
    this.counts.processKilled++;
  }
}
