import type { Operation } from '../../../shared/src/telemetry.ts';
import { type Iova, iova, type Pasid, pasid } from '../../../shared/src/units.ts';
import { getAddress, getField, setField } from '../hw-abi/field.ts';
import { CQC, CQE, CQE_WORDS, SQC } from '../hw-abi/qm.ts';
import { SQE_WORDS } from '../hw-abi/zip-sqe.ts';
import type { DurationBuckets } from '../platform/duration-buckets.ts';
import { LatencyRing } from './latency-ring.ts';

/** SQ context as the mailbox delivered it. */
export interface SqContext {
  base: Iova;
  depth: number;
  /** Doorbells of the queue must carry it. */
  random: number;
  pasid: Pasid;
  priority: number;
  operation: Operation;
}

export function decodeSqContext(words: Uint32Array): SqContext {
  const hasPasid = getField(words, 0, SQC.pasidEnable) === 1;
  return {
    base: iova(getAddress(words, 0, SQC.base)),
    depth: getField(words, 0, SQC.depthMinusOne) + 1,
    random: getField(words, 0, SQC.random),
    pasid: pasid(hasPasid ? getField(words, 0, SQC.pasid) : 0),
    priority: getField(words, 0, SQC.priority),
    operation: getField(words, 0, SQC.algorithmType) === 0 ? 'compress' : 'decompress',
  };
}

export interface CqContext {
  base: Iova;
  depth: number;
  phase: number;
  /** Armed from the start. */
  interruptEnable?: boolean;
}

export function decodeCqContext(words: Uint32Array): CqContext {
  return {
    base: iova(getAddress(words, 0, CQC.base)),
    depth: getField(words, 0, CQC.depthMinusOne) + 1,
    phase: getField(words, 0, CQC.phase),
    interruptEnable: getField(words, 0, CQC.interruptEnable) === 1,
  };
}

/** An SQE that the device fetched; completions leave in this order. */
export interface FetchedSqe {
  readonly index: number;
  readonly rungAtUs: number;
  isDone: boolean;
}

export interface QueuePairCounters {
  doorbells: number;
  operations: number;
  bytesIn: number;
  bytesOut: number;
  errors: number;
  lastError?: string;
}

/**
 * The device's state of one SQ and its CQ. Index owners: the driver moves `sqTail` and the CQ head by doorbell, the
 * device moves `sqHead` (fetch) and `cqTail` (completion).
 */
export class QueuePair {
  sqHead = 0;
  sqTail = 0;
  /** Interrupt armed by a CQ doorbell; one interrupt disarms it. */
  isArmed = false;
  /** Bytes that the arbiter still owes this queue in its round. */
  deficitBytes = 0;
  /** Whether its quantum of this round was added. */
  hasTurn = false;
  isStopped = false;
  /** Of this queue, kept by JobsInCores. */
  jobsInCores = 0;
  /** A CQE was due and the CQ full: nothing more is posted. */
  hasOverflowed = false;
  /** SQEs fetched and CQEs posted since the queue started. */
  fetched = 0;
  /** Value of `fetched` at which injected faults looked at the head; -1 = never. */
  harmedHead = -1;
  posted = 0;
  readonly counters: QueuePairCounters = { doorbells: 0, operations: 0, bytesIn: 0, bytesOut: 0, errors: 0 };
  readonly latencyUs = new LatencyRing();
  private readonly inEngine: FetchedSqe[] = [];
  private readonly rungAtUs: Float64Array;
  private cqHead = 0;
  private cqTail = 0;
  private cqPhase: number;

  constructor(
    readonly qpId: number,
    readonly sq: SqContext,
    private readonly cq: CqContext,
    readonly sqWords: Uint32Array,
    private readonly cqWords: Uint32Array,
    /** Of all queues of the device. */
    private readonly sqeDurations: DurationBuckets,
  ) {
    this.cqPhase = cq.phase;
    this.isArmed = cq.interruptEnable ?? false;
    this.rungAtUs = new Float64Array(sq.depth);
  }

  /** SQEs rung and not yet fetched. */
  get pending(): number {
    return (this.sqTail - this.sqHead + this.sq.depth) % this.sq.depth;
  }

  /** SQEs rung and not yet completed. */
  get inFlight(): number {
    return this.pending + this.inEngine.length;
  }

  /** @returns false if the index is outside the ring */
  ringSq(tail: number, nowUs: number): boolean {
    if (tail >= this.sq.depth) return false;
    this.counters.doorbells++;
    for (let i = this.sqTail; i !== tail; i = (i + 1) % this.sq.depth) this.rungAtUs[i] = nowUs;
    this.sqTail = tail;
    return true;
  }

  /** Word index of the SQE at the head. */
  get headBase(): number {
    return this.sqHead * SQE_WORDS;
  }

  fetch(): FetchedSqe {
    this.fetched++;
    const sqe = { index: this.sqHead, rungAtUs: this.rungAtUs[this.sqHead] ?? 0, isDone: false };
    this.sqHead = (this.sqHead + 1) % this.sq.depth;
    this.inEngine.push(sqe);
    return sqe;
  }

  /** CQ doorbell: the driver reaped all entries before `head`. @returns false if it is outside the ring */
  ringCq(head: number): boolean {
    if (head >= this.cq.depth) return false;
    this.cqHead = head;
    return true;
  }

  /** Whether entries were posted that the driver has not reaped. */
  get hasUnreaped(): boolean {
    return this.cqHead !== this.cqTail;
  }

  /** Writes the device's indices into contexts as software delivered them, for a read-back. */
  describe(sqc: Uint32Array, cqc: Uint32Array): void {
    setField(sqc, 0, SQC.head, this.sqHead);
    setField(sqc, 0, SQC.tail, this.sqTail);
    setField(cqc, 0, CQC.head, this.cqHead);
    setField(cqc, 0, CQC.tail, this.cqTail);
    setField(cqc, 0, CQC.phase, this.cqPhase);
  }

  /** Posts CQEs for all finished SQEs at the front, until the CQ is full. @returns how many */
  postCompletions(nowUs: number): number {
    let posted = 0;
    for (let first = this.inEngine[0]; first?.isDone; first = this.inEngine[0]) {
      const next = this.cqTail + 1 === this.cq.depth ? 0 : this.cqTail + 1;
      if (next === this.cqHead) {
        this.hasOverflowed = true;
        break;
      }
      this.inEngine.shift();
      this.latencyUs.add(nowUs - first.rungAtUs);
      this.sqeDurations.observe(nowUs - first.rungAtUs);
      const base = this.cqTail * CQE_WORDS;
      setField(this.cqWords, base, CQE.sqNum, this.qpId);
      setField(this.cqWords, base, CQE.sqHead, first.index);
      setField(this.cqWords, base, CQE.phase, this.cqPhase); // last: the driver reads the entry once it flips
      this.cqTail = next;
      if (next === 0) this.cqPhase ^= 1;
      posted++;
    }
    this.posted += posted;
    return posted;
  }
}
