import type { FaultModel } from '../../../../shared/src/telemetry.ts';
import { PAGE_BYTES, type Pasid, type StreamId } from '../../../../shared/src/units.ts';
import type { Clock } from '../../platform/clock.ts';
import type { IommuDomain } from './domain.ts';
import { EventLog } from './event-log.ts';
import type { FaultRecord, PageResponse } from './fault-record.ts';
import { DurationsByDomain } from './iommu-timings.ts';
import { type HeldTransaction, StallTable } from './stall-table.ts';
import type { Access, Stall } from './translator.ts';

/** Answered page requests kept for people to read. */
const KEPT = 256;
const MAX_STAG = 0xffff;

/** An access that found its page absent, in a domain and under a fault model that may bring it in. */
export interface PageFault {
  readonly streamId: StreamId;
  readonly pasid: Pasid;
  readonly domain: IommuDomain;
  readonly address: number;
  readonly access: Access;
  readonly model: Exclude<FaultModel, 'none'>;
  /** Queue that the access is for, where one is known. */
  readonly qpId: number | undefined;
}

/** What the translation does next. */
export type PageAnswer = { readonly stag: number; readonly response: PageResponse } | Stall;

/**
 * Linux's I/O page fault path (drivers/iommu/io-pgfault.c): a page request goes to the address space's own handler
 * and is answered success, invalid or failure. While requests are held, the transactions wait and can be seen.
 */
export class PageRequests {
  readonly counts: Record<PageResponse, number> = { success: 0, invalid: 0, failure: 0 };
  /** Answered requests, apart from the faults, because a process's first touch of its memory makes thousands. */
  readonly answered = new EventLog(KEPT);
  readonly stalls: StallTable;
  /** Request → answer; as many as `counts` has. */
  readonly durations = new DurationsByDomain();
  private nextStag = 1;
  private readonly holders = new Set<symbol>();

  constructor(
    private readonly clock: Clock,
    private readonly faults: EventLog,
    stallLimit?: number,
  ) {
    this.stalls = new StallTable(stallLimit);
  }

  /**
   * Answers at once, or, while requests are held, with a stall. A full stall table answers `failure`.
   * @param mayStall false for requesters that cannot wait: they are served although requests are held
   */
  raise(fault: PageFault, mayStall: boolean): PageAnswer {
    const stag = this.takeStag();
    const raisedAtUs = this.clock.monotonicUs();
    if (mayStall && this.holders.size > 0) {
      if (!this.stalls.isFull) return this.hold(fault, stag, raisedAtUs);
      this.count('failure', fault.domain, raisedAtUs);
      return { stag, response: 'failure' };
    }
    const page = Math.floor(fault.address / PAGE_BYTES);
    const response = fault.domain.space.makePresent(page) ? 'success' : 'invalid';
    this.count(response, fault.domain, raisedAtUs);
    if (response === 'success')
      this.answered.add({ ...this.recordOf(fault, stag), outcome: 'resolved', response });
    return { stag, response };
  }

  /**
   * From here on page requests wait until they are answered by `respond` or until the returned function is called,
   * which handles all that wait. For administrators and tests: it shows what a slow page-fault handler does.
   */
  holdAll(): () => void {
    const holder = Symbol('hold');
    this.holders.add(holder);
    return () => {
      if (!this.holders.delete(holder) || this.holders.size > 0) return;
      for (const { stag } of this.stalls.list()) this.respond(stag, 'success');
    };
  }

  /**
   * Answers one held request. `success` brings the page in first and turns into `invalid` if no mapping covers it.
   * @returns the answer given
   * @throws WD_E_EINVAL when nothing is held under this tag
   */
  respond(stag: number, response: PageResponse): PageResponse {
    const held = this.stalls.find(stag);
    const given =
      response === 'success' && !held.domain.space.makePresent(held.page) ? ('invalid' as const) : response;
    this.settle(held, given);
    this.stalls.resume(stag, given);
    return given;
  }

  /** Aborts what waits in a domain, because its address space goes. */
  flush(domain: IommuDomain): void {
    for (const held of this.stalls.list()) if (held.domain === domain) this.respond(held.stag, 'invalid');
  }

  private hold(fault: PageFault, stag: number, raisedAtUs: number): Stall {
    const record = this.faults.add({ ...this.recordOf(fault, stag), outcome: 'stalled' });
    const held: HeldTransaction = {
      stag,
      streamId: fault.streamId,
      domain: fault.domain,
      page: Math.floor(fault.address / PAGE_BYTES),
      record,
      raisedAtUs,
    };
    return this.stalls.hold(held, () => this.settle(held, 'failure'));
  }

  private settle(held: HeldTransaction, response: PageResponse): void {
    this.count(response, held.domain, held.raisedAtUs);
    held.record.response = response;
    held.record.outcome = response === 'success' ? 'resolved' : 'aborted';
    const { seq: _, ...record } = held.record;
    if (response === 'success') this.answered.add(record);
  }

  private count(response: PageResponse, { kind }: IommuDomain, raisedAtUs: number): void {
    this.counts[response]++;
    this.durations.observe(kind, this.clock.monotonicUs() - raisedAtUs);
  }

  private recordOf(fault: PageFault, stag: number): NewRecord {
    const { streamId, pasid, domain, address, access, model, qpId } = fault;
    return {
      atMs: this.clock.wallMs(),
      event: 'F_TRANSLATION',
      streamId,
      pasid,
      iova: address,
      access,
      domainKind: domain.kind,
      stag,
      recovery: model,
      ...(qpId === undefined ? {} : { qpId }),
    };
  }

  /** 16-bit tags (CMD_RESUME), never one that is on hold. */
  private takeStag(): number {
    const inUse = new Set(this.holders.size > 0 ? this.stalls.list().map(({ stag }) => stag) : []);
    do this.nextStag = this.nextStag === MAX_STAG ? 1 : this.nextStag + 1;
    while (inUse.has(this.nextStag));
    return this.nextStag;
  }
}

type NewRecord = Omit<FaultRecord, 'seq'>;
