import { iova, PAGE_BYTES } from '../../../shared/src/units.ts';
import type {
  DmaBuffer,
  ProcessContext,
  QueueHandle,
  QueueRegion,
  QueueRequest,
} from '../../src/platform/accelerator.ts';

/** Layout as typed from sources.md 4.4, 5.4 and 6.1. */
const DUS_BYTES = 151552;
const CQ_OFFSET = 131072;
const SQE_BYTES = 128;
const CQE_BYTES = 16;
const DEPTH = 1024;

export interface Doorbell {
  offset: number;
  low: number;
  high: number;
}

/**
 * A queue over plain memory with recorded doorbells: the test plays the device. Nothing happens unless the test
 * writes completions.
 */
export class ScriptedQueue implements QueueHandle {
  readonly id: string;
  readonly operation;
  readonly priority;
  readonly region: QueueRegion;
  readonly dus = new DataView(new ArrayBuffer(DUS_BYTES));
  readonly doorbells: Doorbell[] = [];
  isStarted = false;
  isClosed = false;
  /** Called after each doorbell; lets a test complete at once. */
  onDoorbell: (bell: Doorbell) => void = () => {};
  interrupt: () => void = () => {};
  private cqTail = 0;
  private phase = 1;

  constructor(
    request: QueueRequest,
    readonly qpId: number,
    readonly hardware: 'zip-v2' | 'zip-v3' = 'zip-v3',
  ) {
    this.id = `scripted/${qpId}`;
    this.operation = request.operation;
    this.priority = request.priority;
    this.region = {
      dus: new Uint8Array(this.dus.buffer),
      mmio: {
        read32: () => 0xffff_ffff,
        write64: (offset, low, high) => {
          const bell = { offset, low, high };
          this.doorbells.push(bell);
          this.onDoorbell(bell);
        },
      },
    };
  }

  /** The SQ tails rung so far. */
  get sqDoorbells(): Doorbell[] {
    return this.doorbells.filter(({ low }) => ((low >>> 12) & 0xf) === 0);
  }

  sqeWord(slot: number, dword: number): number {
    return this.dus.getUint32(slot * SQE_BYTES + dword * 4, true);
  }

  setSqeWord(slot: number, dword: number, value: number): void {
    this.dus.setUint32(slot * SQE_BYTES + dword * 4, value, true);
  }

  /** Posts one CQE for `slot`, with results in the SQE's own words. */
  complete(slot: number, results: Record<number, number> = { 3: 0 }): void {
    for (const [dword, value] of Object.entries(results)) this.setSqeWord(slot, Number(dword), value);
    const at = CQ_OFFSET + this.cqTail * CQE_BYTES;
    this.dus.setUint16(at + 8, slot, true);
    this.dus.setUint16(at + 10, this.qpId, true);
    this.dus.setUint16(at + 14, this.phase, true);
    this.cqTail = (this.cqTail + 1) % DEPTH;
    if (this.cqTail === 0) this.phase ^= 1;
  }

  setTxStop(value: 0 | 1): void {
    this.dus.setUint32(DUS_BYTES - 4, value, true);
  }

  setRxStop(value: 0 | 1): void {
    this.dus.setUint32(DUS_BYTES - 8, value, true);
  }

  start(): void {
    this.isStarted = true;
  }

  onCompletion(listener: () => void): void {
    this.interrupt = listener;
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A process whose queues are scripted and whose memory is plain; counts what it gave out. */
export class ScriptedProcess implements ProcessContext {
  readonly mode = 'sva';
  readonly owner = { pid: 1, name: 'test' };
  readonly queues: ScriptedQueue[] = [];
  allocatedBytes = 0;
  isClosed = false;
  /** Bytes after which allocate refuses. */
  limitBytes = Number.POSITIVE_INFINITY;
  /** Thrown by the next openQueue. */
  openFailure: Error | undefined;
  allocateFailure: Error | undefined;
  private nextAddress = 0x1000_0000;

  openQueue(request: QueueRequest): ScriptedQueue {
    if (this.openFailure) throw this.openFailure;
    const queue = new ScriptedQueue(request, this.queues.length);
    this.queues.push(queue);
    return queue;
  }

  allocate(bytes: number): DmaBuffer {
    if (this.allocateFailure && this.allocatedBytes + bytes > this.limitBytes) throw this.allocateFailure;
    this.allocatedBytes += bytes;
    const address = iova(this.nextAddress);
    this.nextAddress += (Math.ceil(bytes / PAGE_BYTES) + 1) * PAGE_BYTES;
    let isFreed = false;
    return {
      address,
      bytes: new Uint8Array(bytes),
      free: () => {
        if (!isFreed) this.allocatedBytes -= bytes;
        isFreed = true;
      },
    };
  }

  close(): void {
    this.isClosed = true;
  }
}
