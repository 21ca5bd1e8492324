import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const READY_POLL_MS = 10;
const READY_LIMIT_MS = 60_000;

/** One end of the service and the start after it. Milliseconds. */
export interface Restart {
  signal: 'SIGTERM' | 'SIGKILL';
  /** From the signal to the end of the process. */
  exitMs: number;
  /** From the signal to the first 200 of /readyz. */
  readyMs: number;
  code: number | null;
}

/** The service under a supervisor: at one address, started again whenever it ends. */
export class SupervisedService {
  readonly restarts: Restart[] = [];
  /** How it ended when nobody had asked it to. */
  readonly accidents: string[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'warpdrive-chaos-'));
  private current: ServiceProcess | undefined;
  private port = 0;
  private isAsked = false;

  /** @param flags of `warpdrive serve` */
  constructor(private readonly flags: string[]) {}

  /** The process of the moment. @throws Error while there is none */
  get process(): ServiceProcess {
    if (!this.current) throw new Error('the service is not there');
    return this.current;
  }

  /** Its address is the same for ever. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const attach = join(this.folder, 'attach.sock');
    const started = await startServiceProcess([...this.flags, '--attach-socket', attach], this.port);
    this.port = Number(new URL(started.url).port);
    this.current = started;
    this.isAsked = false;
    void started.exited.then(({ code, signal }) => {
      if (this.isAsked || this.current !== started) return;
      this.accidents.push(`ended with ${code ?? signal}`);
      void this.start();
    });
    await this.ready();
  }

  /** Ends it, and starts it as soon as it is gone. */
  async restart(signal: Restart['signal']): Promise<void> {
    const sentMs = performance.now();
    const { code } = await this.end(signal);
    const exitMs = performance.now() - sentMs;
    await this.start();
    this.restarts.push({ signal, code, exitMs, readyMs: performance.now() - sentMs });
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ids of its worker processes. */
  workers(): number[] {
    const { pid } = this.process;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.split(' ').filter(Boolean).map(Number);
  }

  /** Files that it and its workers share with attached processes. */
  sharedFiles(): number {
    const owners = new Set([this.process.pid, ...this.workers()].map(String));
    return readdirSync('/dev/shm').filter((name) => owners.has(/^warpdrive-(\d+)-/.exec(name)?.[1] ?? ''))
      .length;
  }

  private async end(signal: NodeJS.Signals) {
    this.isAsked = true;
    const { process } = this;
    process.kill(signal);
    return process.exited;
  }

  private async ready(): Promise<void> {
    const limit = performance.now() + READY_LIMIT_MS;
    while (performance.now() < limit) {
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.ok) return;
      await sleep(READY_POLL_MS);
    }
    throw new Error(`not ready within ${READY_LIMIT_MS} ms`);
  }
}
