import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type {
  FaultModel,
  FaultSnapshot,
  WorkerSnapshot,
  WorkerState,
} from '../../../shared/src/telemetry.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ToPrimary, ToWorker, WorkerCall, WorkerReport, WorkerStart } from './messages.ts';
import { RestartPolicy } from './restart-policy.ts';
import { workerMessage } from './worker-message.ts';

const SCRIPT = fileURLToPath(new URL('./worker.js', import.meta.url));
/** An answer that takes longer is not waited for: the worker's event loop is busy, and the last report stands. */
const CALL_LIMIT_MS = 5000;
/** A process that is not ready by then hangs, and is ended. */
const START_LIMIT_MS = 60_000;

export interface SlotEvents {
  onReady(): void;
  onReport(report: WorkerReport): void;
  onFault(fault: FaultSnapshot): void;
  /** The process is gone. @param lost connections that it was sent and never took */
  onGone(lost: Socket[]): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: WarpDriveError): void;
}

/** One virtual function and the process that serves it, for as long as the service runs; dead processes are replaced. */
export class WorkerSlot {
  private child: ChildProcess | undefined;
  private state: WorkerState = 'starting';
  private startedAtMs = 0;
  private restarts = 0;
  private lastEnd: string | undefined;
  private usage = { rssBytes: 0, eventLoopDelayMs: 0 };
  private readonly policy: RestartPolicy;
  private readonly calls = new Map<number, Waiting>();
  private readonly handed = new Map<number, Socket>();
  private nextId = 0;
  private cancelRestart = () => {};
  private cancelStartLimit = () => {};
  private onEnded = () => {};

  constructor(
    private readonly start: WorkerStart,
    private readonly events: SlotEvents,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.policy = new RestartPolicy(clock);
  }

  get vf(): number {
    return this.start.vf.number;
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }

  /** For the processes to come. */
  keepFaultModel(model: FaultModel): void {
    this.start.faultModel = model;
  }

  /** While it drains, too: it says to each client that the connection ends. */
  get takesConnections(): boolean {
    return this.child !== undefined && (this.state === 'ready' || this.state === 'draining');
  }

  /** Nothing will change soon: it serves, or it is not expected to. */
  get isSettled(): boolean {
    return this.state !== 'starting';
  }

  snapshot(): WorkerSnapshot {
    const { vf } = this.start;
    return {
      vf: vf.number,
      device: `hisi_zip-${vf.number}`,
      state: this.state,
      pid: this.child?.pid ?? 0,
      startedAtMs: this.startedAtMs,
      restarts: this.restarts,
      ...(this.lastEnd === undefined ? {} : { lastEnd: this.lastEnd }),
      queueBase: vf.base,
      queueCount: vf.count,
      ...this.usage,
    };
  }

  spawn(): void {
    this.state = 'starting';
    this.startedAtMs = this.clock.wallMs();
    this.policy.started();
    const child = fork(SCRIPT, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child = child;
    child.on('message', (message: unknown) => this.receive(message));
    child.on('error', (error) => this.log.error({ worker: this.vf, err: error }, 'worker process'));
    child.once('exit', (code, signal) => this.onExit(signal ?? `exit code ${code}`));
    this.cancelStartLimit = this.clock.after(START_LIMIT_MS, () => child.kill('SIGKILL'));
    this.send({ type: 'start', start: this.start });
  }

  /** Sends a connection over; it is this process's until the worker says that it took it. */
  hand(socket: Socket): void {
    const id = this.nextId++;
    this.handed.set(id, socket);
    this.child?.send({ type: 'connection', id } satisfies ToWorker, socket, { keepOpen: true });
  }

  watch(isOn: boolean): void {
    if (this.isReady) this.send({ type: 'watch', isOn });
  }

  setLogLevel(level: WorkerStart['config']['logLevel']): void {
    this.start.config.logLevel = level; // for the processes to come
    this.send({ type: 'logLevel', level });
  }

  /** @throws WarpDriveError of the worker; WD_E_NO_QUEUE when it is not there; WD_E_TIMEOUT */
  call(call: WorkerCall, limitMs = CALL_LIMIT_MS): Promise<unknown> {
    if (!this.isReady)
      throw new WarpDriveError('WD_E_NO_QUEUE', `worker ${this.vf} is not there: ${this.state}`);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(limitMs, () => {
        this.calls.delete(id);
        reject(new WarpDriveError('WD_E_TIMEOUT', `worker ${this.vf} did not answer within ${limitMs} ms`));
      });
      const settled =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          cancel();
          settle(value);
        };
      this.calls.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.send({ type: 'call', id, call });
    });
  }

  /** Resolves when its process has served what it had and is gone. */
  drain(): Promise<void> {
    this.cancelRestart();
    const hasProcess = this.child !== undefined;
    this.state = hasProcess ? 'draining' : 'ended';
    if (!hasProcess) return Promise.resolve();
    this.send({ type: 'drain' });
    return new Promise((resolve) => {
      this.onEnded = resolve;
    });
  }

  kill(): void {
    this.child?.kill('SIGKILL');
  }

  private send(message: ToWorker): void {
    // a channel that breaks is followed by the exit event
    if (this.child?.connected) this.child.send(message, () => {});
  }

  /** What is not valid is logged and left out: a call without its answer has a limit. */
  private receive(message: unknown): void {
    try {
      this.onMessage(workerMessage(message));
    } catch (error) {
      this.log.error({ worker: this.vf, err: error }, 'message of a worker process');
    }
  }

  private onMessage(message: ToPrimary): void {
    switch (message.type) {
      case 'ready':
        this.cancelStartLimit();
        if (this.state === 'starting') this.state = 'ready';
        this.log.info({ worker: this.vf, pid: this.child?.pid }, 'worker ready');
        this.events.onReady();
        return;
      case 'taken':
        this.handed.get(message.id)?.destroy(); // the worker has its own handle
        this.handed.delete(message.id);
        return;
      case 'answer':
        this.onAnswer(message);
        return;
      case 'report': {
        const { rssBytes, eventLoopDelayMs } = message.report;
        this.usage = { rssBytes, eventLoopDelayMs };
        this.events.onReport(message.report);
        return;
      }
      case 'fault':
        this.events.onFault(message.fault);
        return;
      case 'ended':
        return;
    }
  }

  private onAnswer({ id, value, error }: Extract<ToPrimary, { type: 'answer' }>): void {
    const waiting = this.calls.get(id);
    this.calls.delete(id);
    if (error) waiting?.reject(new WarpDriveError(error.code, error.message, error.details));
    else waiting?.resolve(value);
  }

  private onExit(end: string): void {
    this.cancelStartLimit();
    const wasAsked = this.state === 'draining';
    this.child = undefined;
    this.usage = { rssBytes: 0, eventLoopDelayMs: 0 };
    for (const { reject } of this.calls.values())
      reject(new WarpDriveError('WD_E_NO_QUEUE', `worker ${this.vf} ended`));
    this.calls.clear();
    const lost = [...this.handed.values()];
    this.handed.clear();
    if (wasAsked) {
      this.state = 'ended';
    } else {
      this.lastEnd = end;
      const { delayMs, isHopeless } = this.policy.died();
      this.state = isHopeless ? 'failed' : 'backoff';
      this.log.error({ worker: this.vf, end, restartMs: delayMs, state: this.state }, 'worker died');
      this.cancelRestart = this.clock.after(delayMs, () => {
        this.restarts++;
        this.spawn();
      });
    }
    this.events.onGone(lost);
    this.onEnded();
  }
}
