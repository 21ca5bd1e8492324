import type { FaultPlan } from '../../../shared/src/fault-injection.ts';
import type { ProblemCode, ProblemDetails } from '../../../shared/src/problem.ts';
import type { SoftwareSamples } from '../../../shared/src/software-cost.ts';
import type {
  DeviceSnapshot,
  FaultModel,
  FaultSnapshot,
  IommuSnapshot,
  JobSlots,
  MdevSnapshot,
  PageResponse,
  QueueSnapshot,
} from '../../../shared/src/telemetry.ts';
import type { StackTimings } from '../../../shared/src/timings.ts';
import type { Config } from '../config/schema.ts';
import type { HostOptions, VirtualFunction } from '../host.ts';
import type { Increments } from '../telemetry/increments.ts';

/** All that a worker process needs to know; over the IPC channel, because the environment shows the token to others. */
export interface WorkerStart {
  config: Config;
  vf: VirtualFunction;
  /** As it was set last; absent: the host's default. */
  faultModel?: FaultModel;
  chosenCore: NonNullable<HostOptions['chosenCore']>;
  /** Engine cores in threads of this process. */
  cores: number;
  adminToken: string;
  /** Unix sockets: its own and the primary's. */
  path: string;
  primaryPath: string;
  isTerminal: boolean;
}

/** What the primary asks of a worker's stack; the methods of StackAdmin, and a report at once. */
export type WorkerCall =
  | { method: 'report' }
  | { method: 'job'; id: string }
  | { method: 'resetQueue'; id: string }
  | { method: 'removeMdev'; uuid: string }
  | { method: 'setFaultModel'; model: FaultModel }
  | { method: 'holdPageRequests'; isHeld: boolean }
  | { method: 'answerPageRequest'; stag: number; response: PageResponse }
  | { method: 'hardwareError' }
  | { method: 'reloadDriver' }
  | { method: 'injectFault'; plan: FaultPlan }
  | { method: 'faultPlans' }
  | { method: 'clearFaults'; plan?: number };

export type ToWorker =
  | { type: 'start'; start: WorkerStart }
  /** Comes with a socket. */
  | { type: 'connection'; id: number }
  | { type: 'call'; id: number; call: WorkerCall }
  | { type: 'watch'; isOn: boolean }
  | { type: 'logLevel'; level: Config['logLevel'] }
  | { type: 'drain' };

/** A WarpDriveError on its way through the channel. */
export interface CallError {
  code: ProblemCode;
  message: string;
  details: ProblemDetails;
}

export type ToPrimary =
  | { type: 'ready' }
  | { type: 'taken'; id: number }
  | { type: 'answer'; id: number; value?: unknown; error?: CallError }
  | { type: 'report'; report: WorkerReport }
  /** PASID included. */
  | { type: 'fault'; fault: FaultSnapshot }
  /** The last message of a worker that was told to drain. */
  | { type: 'ended' };

/** Increments since the last report; all else as it is now, PASIDs included. */
export interface WorkerReport {
  increments: Increments;
  devices: DeviceSnapshot[];
  mdevs: MdevSnapshot[];
  queues: QueueSnapshot[];
  jobSlots: JobSlots[];
  iommu?: IommuSnapshot;
  pageRequests: FaultSnapshot[];
  timings?: StackTimings;
  /** Only while somebody looks. */
  software?: SoftwareSamples;
  rssBytes: number;
  eventLoopDelayMs: number;
}
