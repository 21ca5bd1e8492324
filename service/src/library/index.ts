/** The package's entry: what another Node process imports to drive queues of a running warpdrive service. */
export { WarpDriveError } from '../../../shared/src/problem.ts';
export type { Operation } from '../../../shared/src/telemetry.ts';
export type { AttachMode } from '../attach/protocol.ts';
export type { ZipCompletion, ZipOutcome } from '../driver/zip/zip-queue.ts';
export {
  allocateAligned,
  type ConnectOptions,
  connect,
  type DmaMemory,
  defaultAttachPath,
  WarpDrive,
} from './connect.ts';
export { Queue, type QueueJob, type QueueOptions, QueueStream } from './queue.ts';
