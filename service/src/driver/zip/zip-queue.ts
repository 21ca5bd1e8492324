import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { CoreName } from '../../../../shared/src/telemetry.ts';
import { hex, type Iova } from '../../../../shared/src/units.ts';
import { getField, setAddress, setField } from '../../hw-abi/field.ts';
import {
  BUFFER_TYPE,
  CORE_TAGS,
  CTX,
  FLUSH,
  MAX_FLAT_BYTES,
  REQUEST_TYPE,
  SQE,
  SQE_WORDS,
  STATUS,
  STREAM_CONTEXT_HW_OFFSET,
} from '../../hw-abi/zip-sqe.ts';
import { ZIP_V2, ZIP_V3 } from '../../hw-abi/zip-variant.ts';
import type { QueueHandle } from '../../platform/accelerator.ts';

export { STREAM_CONTEXT_BYTES } from '../../hw-abi/zip-sqe.ts';

import { QueuePairDriver } from '../qm/queue-pair.ts';

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

/** One job. Container headers are software's business; the trailer is the device's. */
export interface ZipRequest {
  format: keyof Pick<typeof REQUEST_TYPE, 'gzip' | 'zlib' | 'deflate'>;
  /** 1–9; silicon ignores it. */
  level: number;
  source: Iova;
  sourceBytes: number;
  destination: Iova;
  destinationBytes: number;
  /** Compression: end the stream here (trailer included), or end with a sync flush. */
  isFinal: boolean;
  /** Absent: stateless. */
  stream?: StreamState;
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
  isTrailerMissing: false,
  core: undefined,
};

const OUTCOMES: Record<number, ZipOutcome> = {
  [STATUS.ok]: 'ok',
  [STATUS.negativeCompression]: 'ok',
  [STATUS.decompressionEnd]: 'end',
  [STATUS.outputExhausted]: 'output-exhausted',
  [STATUS.checksum]: 'checksum-error',
  [STATUS.corruptData]: 'corrupt',
  [STATUS.busError]: 'dma-error',
  [STATUS.badRequest]: 'bad-request',
};

const WINDOW_32_KIB = 4;

type Done = (completion: ZipCompletion) => void;

/** The ZIP algorithm driver over one started queue: builds SQEs, matches completions by tag. */
export class ZipQueue {
  private readonly qp: QueuePairDriver;
  private readonly variant;
  /** By SQ slot; a slot is reused only after its completion. */
  private readonly pending: ({ tag: number; done: Done; stream: StreamState | undefined } | undefined)[] = [];
  private nextTag = 1;

  /** @param onFailure called when the queue turns out unusable outside of a call: it was stopped, or answers nonsense */
  constructor(
    readonly handle: QueueHandle,
    private readonly onFailure: (error: unknown) => void = () => {},
  ) {
    this.variant = handle.hardware === 'zip-v2' ? ZIP_V2 : ZIP_V3;
    this.qp = new QueuePairDriver(handle.region, handle.qpId, handle.priority);
    handle.onCompletion(() => this.onInterrupt());
  }

  get inFlight(): number {
    return this.qp.inFlight;
  }

  get busy(): number {
    return this.qp.busy;
  }

  /**
   * Queues one job; `done` is called from `poll` or from the completion interrupt, never from within.
   * @returns false when the ring is full
   * @throws WD_E_EINVAL length out of range; WD_E_DEVICE_RESET
   */
  trySubmit(request: ZipRequest, done: Done): boolean {
    if (request.sourceBytes > MAX_FLAT_BYTES)
      throw new WarpDriveError(
        'WD_E_EINVAL',
        `${request.sourceBytes} input bytes, a flat buffer holds ${MAX_FLAT_BYTES}`,
        {
          field: 'sourceBytes',
        },
      );
    const base = this.qp.reserve();
    if (base === undefined) return false;
    const tag = this.nextTag;
    this.nextTag = (this.nextTag % 0xffff_ffff) + 1;
    this.encode(base, request, tag);
    this.pending[base / SQE_WORDS] = { tag, done, stream: request.stream };
    this.qp.submit();
    return true;
  }

  /** Reaps what is complete; then, if jobs are still out, asks for an interrupt. */
  pollOrArm(): void {
    this.poll();
    if (this.qp.inFlight === 0) return;
    this.qp.arm();
    this.poll(); // a completion between the poll and the arming raised no interrupt
  }

  /** @returns how many completions were delivered */
  poll(): number {
    return this.qp.poll((slot, base) => this.deliver(slot, base));
  }

  /** Ends every job that is out with `completion`, after the queue was stopped. */
  abandon(completion: ZipCompletion): void {
    const lost = this.pending.splice(0);
    for (const entry of lost) entry?.done(completion);
  }

  /** Nobody called us who could take an exception, so a queue that failed tells its owner. */
  private onInterrupt(): void {
    try {
      this.pollOrArm();
    } catch (error) {
      this.onFailure(error);
    }
  }

  private encode(base: number, request: ZipRequest, tag: number): void {
    const { sq } = this.qp;
    const { stream } = request;
    sq.fill(0, base, base + SQE_WORDS);
    setField(sq, base, SQE.sqeType, this.variant.sqeType);
    setField(sq, base, SQE.requestType, REQUEST_TYPE[request.format]);
    setField(sq, base, SQE.bufferType, BUFFER_TYPE.flat);
    setField(sq, base, SQE.window, WINDOW_32_KIB);
    setField(sq, base, SQE.level, request.level);
    setField(sq, base, SQE.flush, request.isFinal ? FLUSH.finish : FLUSH.sync);
    setAddress(sq, base, SQE.source, request.source);
    setField(sq, base, SQE.inputDataLength, request.sourceBytes);
    setAddress(sq, base, SQE.destination, request.destination);
    setField(sq, base, SQE.destAvailOut, request.destinationBytes);
    if (stream) {
      setField(sq, base, SQE.streamMode, 1);
      setField(sq, base, SQE.streamNew, stream.isNew ? 1 : 0);
      setAddress(sq, base, SQE.streamContext, stream.context + STREAM_CONTEXT_HW_OFFSET);
      setField(sq, base, SQE.ctxDw0, stream.ctxDw0);
      setField(sq, base, SQE.ctxDw1, stream.ctxDw1);
      setField(sq, base, SQE.ctxDw2, stream.ctxDw2);
      setField(sq, base, SQE.checksum, stream.checksum);
      setField(sq, base, SQE.isize, stream.isize);
    }
    setField(sq, base, this.variant.tag, tag);
  }

  private deliver(slot: number, base: number): void {
    const { sq } = this.qp;
    const entry = this.pending[slot];
    this.pending[slot] = undefined;
    const tag = getField(sq, base, this.variant.tag);
    if (!entry || entry.tag !== tag)
      throw new WarpDriveError(
        'WD_E_DEVICE',
        `completion with tag ${hex(tag)} matches no job in slot ${slot}`,
        {
          errno: 'EIO',
        },
      );
    const status = getField(sq, base, SQE.status);
    const { stream } = entry;
    if (stream) {
      stream.isNew = false;
      stream.ctxDw0 = getField(sq, base, SQE.ctxDw0);
      stream.ctxDw1 = getField(sq, base, SQE.ctxDw1);
      stream.ctxDw2 = getField(sq, base, SQE.ctxDw2);
      stream.checksum = getField(sq, base, SQE.checksum);
      stream.isize = getField(sq, base, SQE.isize);
    }
    const core = CORE_TAGS[getField(sq, base, SQE.coreTag)];
    entry.done({
      outcome: OUTCOMES[status] ?? 'device-error',
      status,
      consumed: getField(sq, base, SQE.consumed),
      produced: getField(sq, base, SQE.produced),
      checksum: getField(sq, base, SQE.checksum),
      isize: getField(sq, base, SQE.isize),
      isTrailerMissing: getField(sq, base, CTX.dataEnded) === 1,
      core: core === 'none' ? undefined : core,
    });
  }
}
