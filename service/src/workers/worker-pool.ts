import type { Socket } from 'node:net';
import type { JobRecord } from '../../../shared/src/job.ts';
import type { FaultSnapshot, WorkerSnapshot } from '../../../shared/src/telemetry.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { WorkerCalls } from './merged-admin.ts';
import type { WorkerCall, WorkerReport, WorkerStart } from './messages.ts';
import { ANSWERS, answerOf } from './worker-answer.ts';
import { WorkerSlot } from './worker-slot.ts';

/** An answer of the service does not wait longer for a busy worker's figures. */
const REFRESH_LIMIT_MS = 250;

export interface PoolEvents {
  onReport(vf: number, report: WorkerReport): void;
  onFault(vf: number, fault: FaultSnapshot): void;
  onGone(vf: number): void;
}

/** All worker processes: hands connections to them in turns and asks them things. */
export class WorkerPool implements WorkerCalls {
  private readonly slots: WorkerSlot[];
  private next = 0;
  private isWatched = false;
  private onSettled = () => {};
  private refreshing: Promise<void> | undefined;

  /** @param serveHere takes connections while no worker is ready */
  constructor(
    starts: readonly WorkerStart[],
    private readonly events: PoolEvents,
    private readonly serveHere: (socket: Socket) => void,
    clock: Clock,
    log: Log,
  ) {
    this.slots = starts.map((start) => {
      const slot: WorkerSlot = new WorkerSlot(start, this.eventsOf(start.vf.number), clock, log);
      return slot;
    });
  }

  /** Resolves when every worker is ready or has failed once. */
  start(): Promise<void> {
    for (const slot of this.slots) slot.spawn();
    return new Promise((resolve) => {
      this.onSettled = () => {
        if (this.slots.every(({ isSettled }) => isSettled)) resolve();
      };
    });
  }

  get readyCount(): number {
    return this.slots.filter(({ isReady }) => isReady).length;
  }

  snapshots(): WorkerSnapshot[] {
    return this.slots.map((slot) => slot.snapshot());
  }

  hand(socket: Socket): void {
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.slots[this.next++ % this.slots.length];
      if (slot?.takesConnections) {
        slot.hand(socket);
        return;
      }
    }
    this.serveHere(socket);
  }

  async one(vf: number, call: WorkerCall): Promise<unknown> {
    const slot = this.slots.find((candidate) => candidate.vf === vf);
    return slot?.call(call);
  }

  all(call: WorkerCall): Promise<unknown[]> {
    if (call.method === 'setFaultModel') for (const slot of this.slots) slot.keepFaultModel(call.model);
    return Promise.all(this.ready().map((slot) => slot.call(call)));
  }

  /** Brings the figures up to date; one round for all who ask meanwhile. */
  refresh(): Promise<void> {
    this.refreshing ??= Promise.allSettled(
      this.ready().map((slot) => slot.call({ method: 'report' }, REFRESH_LIMIT_MS)),
    ).then(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** The record of a job, from whichever worker has it. */
  async findJob(id: string): Promise<JobRecord | undefined> {
    const answers = await Promise.allSettled(this.ready().map((slot) => slot.call({ method: 'job', id })));
    for (const answer of answers) {
      if (answer.status === 'rejected') continue;
      const found = answerOf('job', ANSWERS.job, answer.value);
      if (found) return found;
    }
    return undefined;
  }

  watch(isOn: boolean): void {
    this.isWatched = isOn;
    for (const slot of this.slots) slot.watch(isOn);
  }

  setLogLevel(level: WorkerStart['config']['logLevel']): void {
    for (const slot of this.slots) slot.setLogLevel(level);
  }

  async drain(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.drain()));
  }

  kill(): void {
    for (const slot of this.slots) slot.kill();
  }

  private ready(): WorkerSlot[] {
    return this.slots.filter(({ isReady }) => isReady);
  }

  private eventsOf(vf: number): ConstructorParameters<typeof WorkerSlot>[1] {
    return {
      onReady: () => {
        this.slots.find((slot) => slot.vf === vf)?.watch(this.isWatched);
        this.onSettled();
      },
      onReport: (report) => this.events.onReport(vf, report),
      onFault: (fault) => this.events.onFault(vf, fault),
      onGone: (lost) => {
        this.events.onGone(vf);
        for (const socket of lost) this.hand(socket);
        this.onSettled();
      },
    };
  }
}
