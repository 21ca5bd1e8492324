import type {
  DeviceSnapshot,
  FaultSnapshot,
  MonitorMessage,
  MonitorSample,
  QueueSnapshot,
  StatusSnapshot,
} from '../../../../shared/src/telemetry.ts';

const MAX_FAULTS = 100;

/** Figures per second are means over the time between the two samples that were compared. */
export interface QueueRates {
  queue: QueueSnapshot;
  operationsPerSec: number;
  bytesInPerSec: number;
  bytesOutPerSec: number;
}

export interface CoreRates {
  device: string;
  core: DeviceSnapshot['cores'][number];
  jobsPerSec: number;
  /** 0 to 1. */
  busyRatio: number;
}

export interface Reading {
  status: StatusSnapshot;
  sample: MonitorSample;
  /** Seconds between the two samples. */
  windowS: number;
  rates: { bytesIn: number; bytesOut: number; operations: number; requests: number; failures: number };
  queues: QueueRates[];
  cores: CoreRates[];
  /** Newest last. */
  faults: readonly FaultSnapshot[];
  droppedSamples: number;
}

/** Turns totals into rates: keeps the sample before the last and compares. */
export class Model {
  private status: StatusSnapshot | undefined;
  private previous: MonitorSample | undefined;
  private faults: FaultSnapshot[] = [];
  reading: Reading | undefined;

  take(message: MonitorMessage): void {
    if (message.type === 'snapshot') {
      // another process: totals start again, so nothing may be compared across the restart
      if (message.status.pid !== this.status?.pid) this.previous = undefined;
      this.status = message.status;
      this.faults = message.faults.slice(-MAX_FAULTS);
    } else if (message.type === 'fault') {
      this.faults = [...this.faults.slice(1 - MAX_FAULTS), message.fault];
    } else if (message.type === 'sample') {
      this.compare(message.sample, message.dropped);
    }
  }

  private compare(sample: MonitorSample, droppedSamples: number): void {
    const { status, previous } = this;
    this.previous = sample;
    if (status === undefined || previous === undefined || sample.atMs <= previous.atMs) return;
    const windowS = (sample.atMs - previous.atMs) / 1000;
    const rate = (now: number, before: number): number => Math.max(0, now - before) / windowS;
    const before = new Map(previous.queues.map((queue) => [queue.id, queue]));
    const { totals } = sample;
    this.reading = {
      status,
      sample,
      windowS,
      rates: {
        bytesIn: rate(totals.bytesIn, previous.totals.bytesIn),
        bytesOut: rate(totals.bytesOut, previous.totals.bytesOut),
        operations: rate(totals.operations, previous.totals.operations),
        requests: rate(totals.requests, previous.totals.requests),
        failures: rate(totals.failures, previous.totals.failures),
      },
      queues: sample.queues.map((queue) => {
        const old = before.get(queue.id) ?? queue;
        return {
          queue,
          operationsPerSec: rate(queue.operations, old.operations),
          bytesInPerSec: rate(queue.bytesIn, old.bytesIn),
          bytesOutPerSec: rate(queue.bytesOut, old.bytesOut),
        };
      }),
      cores: sample.devices.flatMap((device) => coreRates(device, previous.devices, rate)),
      faults: this.faults,
      droppedSamples,
    };
  }
}

function coreRates(
  device: DeviceSnapshot,
  before: readonly DeviceSnapshot[],
  rate: (now: number, before: number) => number,
): CoreRates[] {
  const old = before.find(({ name }) => name === device.name);
  return device.cores.map((core) => {
    const was = old?.cores.find(({ id }) => id === core.id) ?? core;
    return {
      device: device.name,
      core,
      jobsPerSec: rate(core.jobs, was.jobs),
      busyRatio: Math.min(1, rate(core.busyNs, was.busyNs) / 1e9),
    };
  });
}
