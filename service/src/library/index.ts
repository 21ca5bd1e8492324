/**
 * The package's entry: node:zlib's functions over an engine in this process, and `connect`, for processes that drive
 * queues of a running warpdrive service.
 */
export { WarpDriveError } from '../../../shared/src/problem.ts';
export type { Operation } from '../../../shared/src/telemetry.ts';
export type { AttachMode } from '../attach/protocol.ts';
export type { ZipCompletion, ZipOutcome } from '../driver/zip/zip-queue.ts';
export {
  type CompressibleResponse,
  type CompressionOptions,
  compression,
} from '../middleware/compression.ts';
export type { EngineStream, OneShotCallback, WithCore } from '../zlib/functions.ts';
export * from '../zlib/zlib.ts';
// node:zlib has a default export, so `import zlib from 'warpdrive'` must work as well
export * as default from '../zlib/zlib.ts';
export {
  allocateAligned,
  type ConnectOptions,
  connect,
  type DmaMemory,
  defaultAttachPath,
  WarpDrive,
} from './connect.ts';
export { Queue, type QueueJob, type QueueOptions, QueueStream } from './queue.ts';
