import { WarpDriveError } from '../../../../shared/src/problem.ts';
import { hex } from '../../../../shared/src/units.ts';
import { getField } from '../../hw-abi/field.ts';
import { MAX_SGE_DATA_OFFSET } from '../../hw-abi/zip-sgl.ts';
import { MAX_FLAT_BYTES, REQUEST_TYPE, SQE_WORDS } from '../../hw-abi/zip-sqe.ts';
import { ZIP_V2, ZIP_V3 } from '../../hw-abi/zip-variant.ts';
import type { QueueHandle } from '../../platform/accelerator.ts';
import { QueuePairDriver } from '../qm/queue-pair.ts';
import { decodeCompletion, encodeSqe } from './sqe-codec.ts';
import type { StreamState, ZipCompletion, ZipRequest } from './zip-request.ts';

export { STREAM_CONTEXT_BYTES } from '../../hw-abi/zip-sqe.ts';
export {
  LOST_COMPLETION,
  newStream,
  type StreamState,
  type WindowBytes,
  type ZipCompletion,
  type ZipOutcome,
  type ZipRequest,
} from './zip-request.ts';

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

  /** Whether the hardware has the format's request type. */
  supports(format: ZipRequest['format']): boolean {
    return this.variant.requestTypes.includes(REQUEST_TYPE[format]);
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
    const { lists } = request;
    for (const field of ['sourceOffset', 'destinationOffset'] as const)
      if (lists && !(lists[field] >= 0 && lists[field] <= MAX_SGE_DATA_OFFSET))
        throw new WarpDriveError(
          'WD_E_EINVAL',
          `${field} ${lists[field]}, a list's offset has 24 bits: 0 to ${MAX_SGE_DATA_OFFSET}`,
          { field },
        );
    const base = this.qp.reserve();
    if (base === undefined) return false;
    const tag = this.nextTag;
    this.nextTag = (this.nextTag % 0xffff_ffff) + 1;
    encodeSqe(this.qp.sq, base, request, this.variant, tag);
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

  private deliver(slot: number, base: number): void {
    const { sq } = this.qp;
    const entry = this.pending[slot];
    const tag = getField(sq, base, this.variant.tag);
    if (!entry || entry.tag !== tag)
      throw new WarpDriveError(
        'WD_E_DEVICE',
        `completion with tag ${hex(tag)} matches no job in slot ${slot}`,
        {
          errno: 'EIO',
        },
      );
    this.pending[slot] = undefined; // not before: a job whose tag came back wrong ends with its queue
    entry.done(decodeCompletion(sq, base, this.variant, entry.stream));
  }
}
