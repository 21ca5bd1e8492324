import type { CoreName } from '../../../../shared/src/telemetry.ts';
import type { Iova } from '../../../../shared/src/units.ts';
import type { REQUEST_TYPE, WINDOW_BYTES } from '../../hw-abi/zip-sqe.ts';

/** State of a stream that the driver carries from job to job (UADK: the software words of the context buffer). */
export interface StreamState {
  /** Start of STREAM_CONTEXT_BYTES of DMA memory. */
  readonly context: Iova;
  isNew: boolean;
  ctxDw0: number;
  ctxDw1: number;
  ctxDw2: number;
  checksum: number;
  isize: number;
}

export const newStream = (context: Iova): StreamState => ({
  context,
  isNew: true,
  ctxDw0: 0,
  ctxDw1: 0,
  ctxDw2: 0,
  checksum: 0,
  isize: 0,
});

export type WindowBytes = (typeof WINDOW_BYTES)[number];

/** One job. Container headers are software's business; the trailer is the device's. */
export interface ZipRequest {
  format: keyof Pick<typeof REQUEST_TYPE, 'gzip' | 'zlib' | 'deflate'>;
  /** 1–9; silicon ignores it. */
  level: number;
  source: Iova;
  sourceBytes: number;
  destination: Iova;
  destinationBytes: number;
  /** Window that matches may use; 32 KiB if absent. */
  windowBytes?: WindowBytes | undefined;
  /** Absent: both buffers are flat. Else both are scatter lists and `source` and `destination` their heads. */
  lists?: {
    /** Bytes of the list's data to leave out at its start, below 16 MiB. */
    sourceOffset: number;
    destinationOffset: number;
  };
  /** Compression: end the stream here (trailer included), or end with a sync flush. */
  isFinal: boolean;
  /** Absent: stateless. */
  stream?: StreamState | undefined;
}

export type ZipOutcome =
  /** All input consumed, or the destination is full and `consumed` tells how far it went. */
  | 'ok'
  /** Decompression: the stream is complete, its checksum right. */
  | 'end'
  | 'output-exhausted'
  | 'checksum-error'
  | 'corrupt'
  | 'dma-error'
  | 'bad-request'
  | 'device-error';

export interface ZipCompletion {
  outcome: ZipOutcome;
  /** Raw dw3[7:0], for support. */
  status: number;
  consumed: number;
  produced: number;
  checksum: number;
  isize: number;
  /** Stateful: output waits in the context; send the rest of the input, or none, with new room. */
  isOutputPending: boolean;
  /** The DEFLATE data ended but its trailer is not whole yet. */
  isTrailerMissing: boolean;
  core: CoreName | undefined;
}

/** What a job gets whose queue was taken away under it. */
export const LOST_COMPLETION: ZipCompletion = {
  outcome: 'device-error',
  status: 0xff,
  consumed: 0,
  produced: 0,
  checksum: 0,
  isize: 0,
  isOutputPending: false,
  isTrailerMissing: false,
  core: undefined,
};
