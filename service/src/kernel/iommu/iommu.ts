import type { FaultModel } from '../../../../shared/src/telemetry.ts';
import type { StackTimings } from '../../../../shared/src/timings.ts';
import { type Iova, PAGE_BYTES, type Pasid, physAddr, type StreamId } from '../../../../shared/src/units.ts';
import type { Clock } from '../../platform/clock.ts';
import { kernelError } from '../errno.ts';
import { INPUT_ADDRESS_LIMIT } from './address-space.ts';
import { IommuDomain } from './domain.ts';
import { EventLog } from './event-log.ts';
import type { FaultEvent, FaultRecord, PageResponse } from './fault-record.ts';
import { DurationsByDomain, TimingTurn } from './iommu-timings.ts';
import { IOTLB_MISS, Iotlb } from './iotlb.ts';
import { PageRequests } from './page-requests.ts';
import { type PasidEntry, PasidTable } from './pasid-table.ts';
import { PROCESS_TARGET, type TranslationSpace } from './space.ts';
import type { HeldTransaction } from './stall-table.ts';
import {
  type Access,
  type Extent,
  isStall,
  type Stall,
  type Translation,
  type Translator,
} from './translator.ts';

export type { FaultModel } from '../../../../shared/src/telemetry.ts';

const FAULTS_KEPT = 1000;

export interface IommuOptions {
  /** Translations cached, a power of two. */
  iotlbEntries?: number;
  /** Transactions that may be on hold at once (IDR5.STALL_MAX). */
  stallLimit?: number;
  /** Fault records kept. */
  faultsKept?: number;
}

/** Who asks for a translation, and what for. */
interface Request {
  readonly stream: StreamId;
  readonly id: Pasid;
  readonly access: Access;
  /** The requester can wait while the page comes. */
  readonly mayStall: boolean;
  readonly qpId: number | undefined;
}

/**
 * The guard between devices and memory: finds the address space of a (stream, PASID), walks it for every access and
 * records what it refuses. Knows no queues and no processes.
 */
export class Iommu implements Translator {
  readonly iotlb: Iotlb;
  private readonly pasids = new PasidTable();
  /** Traffic without PASID, per stream. */
  private readonly defaults = new Map<StreamId, IommuDomain>();
  private readonly faultModels = new Map<StreamId, FaultModel>();
  private readonly unsubscribe = new Map<IommuDomain, () => void>();
  private readonly log: EventLog;
  private readonly requests: PageRequests;
  private readonly translations = new DurationsByDomain();
  private readonly timingTurn = new TimingTurn();
  private nextAsid = 0;

  /** @param faultModel of devices that `setFaultModel` did not give another */
  constructor(
    private readonly clock: Clock,
    readonly faultModel: FaultModel,
    options: IommuOptions = {},
  ) {
    this.iotlb = new Iotlb(options.iotlbEntries);
    this.log = new EventLog(options.faultsKept ?? FAULTS_KEPT);
    this.requests = new PageRequests(clock, this.log, options.stallLimit);
  }

  get pasidsInUse(): number {
    return this.pasids.size;
  }

  /** Page faults that were resolved by bringing the page in. */
  get resolvedPageRequests(): number {
    return this.requests.counts.success;
  }

  get pageRequestCounts(): Readonly<Record<PageResponse, number>> {
    return this.requests.counts;
  }

  get faultCount(): number {
    return this.log.recorded;
  }

  /** Fault records pushed out of the log. */
  get faultsLost(): number {
    return this.log.lost;
  }

  /** Declares what a device can do about absent pages: its "stall capable" property. Takes effect at the next access. */
  setFaultModel(stream: StreamId, model: FaultModel): void {
    this.faultModels.set(stream, model);
  }

  faultModelOf(stream: StreamId): FaultModel {
    return this.faultModels.get(stream) ?? this.faultModel;
  }

  /**
   * Binds an address space to a device; the same space again gives the same PASID and counts.
   * @returns its PASID, for the kernel side only
   * @throws WD_E_EBUSY when every PASID is in use
   */
  bind(stream: StreamId, space: TranslationSpace): Pasid {
    const domain = this.pasids.of(space)?.domain ?? this.openDomain(space);
    try {
      return this.pasids.bind(stream, domain).pasid;
    } catch (error) {
      this.closeDomain(domain);
      throw error;
    }
  }

  /**
   * Takes one bind back. With the last one the PASID is gone: every access with it faults, nothing of it is cached,
   * what was on hold is aborted.
   * @param stream may be left out when one device holds the bind
   */
  unbind(id: Pasid, stream: StreamId | undefined = this.onlyStreamOf(id)): void {
    const gone = stream === undefined ? undefined : this.pasids.unbind(stream, id);
    if (!gone) return;
    this.closeDomain(gone.domain);
    this.requests.flush(gone.domain);
  }

  /** The space for traffic of `stream` that carries no PASID. */
  attach(stream: StreamId, space: TranslationSpace): void {
    this.detach(stream);
    const shared = [...this.defaults.values()].find((domain) => domain.space === space);
    this.defaults.set(stream, shared ?? this.openDomain(space));
  }

  /** From here on traffic of `stream` without PASID is blocked. */
  detach(stream: StreamId): void {
    const domain = this.defaults.get(stream);
    if (!domain) return;
    this.defaults.delete(stream);
    if (![...this.defaults.values()].includes(domain)) this.closeDomain(domain);
  }

  /** The domain of traffic without PASID; undefined = blocking. */
  defaultDomain(stream: StreamId): IommuDomain | undefined {
    return this.defaults.get(stream);
  }

  /** What is bound to a device, in order of binding. */
  boundTo(stream: StreamId): PasidEntry[] {
    return [...this.pasids.entries()].filter((entry) => entry.binds.has(stream));
  }

  translate(stream: StreamId, id: Pasid, address: Iova, bytes: number, access: Access): Extent[] | undefined {
    const request: Request = { stream, id, access, mayStall: false, qpId: undefined };
    const translation = this.answer(request, address, bytes);
    return isStall(translation) ? undefined : translation;
  }

  translateOrStall(
    stream: StreamId,
    id: Pasid,
    address: Iova,
    bytes: number,
    access: Access,
    qpId?: number,
  ): Translation {
    return this.answer({ stream, id, access, mayStall: true, qpId }, address, bytes);
  }

  report(stream: StreamId, id: Pasid, address: Iova, access: Access, qpId?: number): void {
    const request: Request = { stream, id, access, mayStall: false, qpId };
    const domain = this.domainOf(stream, id);
    if (!domain) {
      this.refuse('C_BAD_SUBSTREAMID', request, address);
      return;
    }
    const page = Math.floor(address / PAGE_BYTES);
    this.iotlb.invalidatePages(domain.asid, page, 1);
    const { space } = domain;
    const isForbidden = space.forbids
      ? space.forbids(page, access)
      : typeof space.lookup(page, access) === 'number';
    this.refuse(isForbidden ? 'F_PERMISSION' : 'F_TRANSLATION', request, address);
  }

  /** Records kept, oldest first; `sinceSeq` leaves out what the caller has. */
  faults(sinceSeq = 0): FaultRecord[] {
    return this.log.list(sinceSeq);
  }

  /** The last page requests that were answered `success`, oldest first. */
  resolvedRequests(): FaultRecord[] {
    return this.requests.answered.list();
  }

  /** @returns the unsubscribe function */
  onFault(listener: (record: FaultRecord) => void): () => void {
    return this.log.onRecord(listener);
  }

  /** As onFault, for page requests that were answered `success`. @returns the unsubscribe function */
  onResolvedRequest(listener: (record: FaultRecord) => void): () => void {
    return this.requests.answered.onRecord(listener);
  }

  /** See PageRequests.holdAll. @returns the function that lets them go */
  holdPageRequests(): () => void {
    return this.requests.holdAll();
  }

  /** Answers a held page request. @throws WD_E_EINVAL */
  respond(stag: number, response: PageResponse): PageResponse {
    return this.requests.respond(stag, response);
  }

  /** Transactions on hold, with their age. */
  stalls(): (HeldTransaction & { ageMs: number })[] {
    const nowUs = this.clock.monotonicUs();
    return this.requests.stalls
      .list()
      .map((held) => ({ ...held, ageMs: Math.round((nowUs - held.raisedAtUs) / 1000) }));
  }

  timings(): Pick<StackTimings, 'pageRequests' | 'translations'> {
    return { pageRequests: this.requests.durations.read(), translations: this.translations.read() };
  }

  private answer(request: Request, address: Iova, bytes: number): Translation {
    if (!this.timingTurn.next()) return this.run(request, address, bytes);
    const kind = this.domainOf(request.stream, request.id)?.kind ?? 'blocking';
    const startUs = this.clock.monotonicUs();
    const translation = this.run(request, address, bytes);
    this.translations.observe(kind, this.clock.monotonicUs() - startUs);
    return translation;
  }

  private run(request: Request, address: Iova, bytes: number): Translation {
    const { stream, id, access } = request;
    const domain = this.domainOf(stream, id);
    if (!domain) return this.refuse(id === 0 ? 'F_STREAM_DISABLED' : 'C_BAD_SUBSTREAMID', request, address);
    if (!(address >= 0) || address + bytes > INPUT_ADDRESS_LIMIT)
      return this.refuse('F_TRANSLATION', request, address);
    const { space, asid } = domain;
    if (space.kind === 'identity') return [{ address: physAddr(address), bytes }];
    let extents: Extent[] | undefined;
    let last: Extent | undefined;
    let end = -1;
    let isPrepared = false;
    for (let at: number = address; at < address + bytes; ) {
      const page = Math.floor(at / PAGE_BYTES);
      const offset = at - page * PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - offset, address + bytes - at);
      let frame: number = this.iotlb.lookup(asid, page, access);
      if (frame === IOTLB_MISS) {
        if (!isPrepared) space.prepare?.(page, Math.ceil((address + bytes) / PAGE_BYTES) - page);
        isPrepared = true;
        const walked = this.walk(domain, page, at, request);
        if (typeof walked !== 'number') return walked;
        frame = walked;
      }
      if (last && end === frame + offset) last.bytes += length;
      else {
        last = extentAt(frame + offset, length, space.pid);
        // an array that grows has room for sixteen more
        if (extents) extents.push(last);
        else extents = [last];
      }
      end = frame + offset + length;
      at += length;
    }
    // asked after the walk: cached translations outlive the program that they were made for
    if (last?.pid !== undefined && space.isGone?.()) return this.refuse('F_TRANSLATION', request, address);
    return extents ?? [];
  }

  /** One page by table walk, with the page brought in if that is allowed. @returns its address, or how it ended */
  private walk(domain: IommuDomain, page: number, at: number, request: Request): number | Stall | undefined {
    const { stream, id, access, mayStall, qpId } = request;
    const { space, asid } = domain;
    let found = space.lookup(page, access);
    let stag: number | undefined;
    const model = this.faultModelOf(stream);
    if (found === 'absent' && space.kind === 'sva' && model !== 'none') {
      const fault = { streamId: stream, pasid: id, domain, address: at, access, model, qpId };
      const answer = this.requests.raise(fault, mayStall);
      if ('outcome' in answer) return answer;
      stag = answer.stag;
      if (answer.response === 'success') found = space.lookup(page, access);
    }
    if (found === 'absent') return this.refuse('F_TRANSLATION', request, at, stag);
    if (found === 'forbidden') return this.refuse('F_PERMISSION', request, at);
    this.iotlb.fill(asid, page, found, access);
    return found;
  }

  private domainOf(stream: StreamId, id: Pasid): IommuDomain | undefined {
    return id === 0 ? this.defaults.get(stream) : this.pasids.find(stream, id)?.domain;
  }

  private onlyStreamOf(id: Pasid): StreamId | undefined {
    for (const entry of this.pasids.entries())
      if (entry.pasid === id && entry.binds.size === 1) return [...entry.binds.keys()][0];
    return undefined;
  }

  private openDomain(space: TranslationSpace): IommuDomain {
    if (this.nextAsid > 0x7fff_fffe)
      throw kernelError('EBUSY', 'the numbers of address spaces are used up', { limit: this.nextAsid });
    const domain = new IommuDomain(this.nextAsid++, space);
    this.unsubscribe.set(
      domain,
      space.onInvalidate((first, pages) => this.iotlb.invalidatePages(domain.asid, first, pages)),
    );
    return domain;
  }

  private closeDomain(domain: IommuDomain): void {
    this.unsubscribe.get(domain)?.();
    this.unsubscribe.delete(domain);
    this.iotlb.invalidateAll(domain.asid);
  }

  private refuse(
    event: FaultEvent,
    { stream, id, access, qpId }: Request,
    address: number,
    stag?: number,
  ): undefined {
    this.log.add({
      atMs: this.clock.wallMs(),
      event,
      streamId: stream,
      pasid: id,
      iova: address,
      access,
      domainKind: this.domainOf(stream, id)?.kind ?? 'blocking',
      ...(qpId === undefined ? {} : { qpId }),
      ...(stag === undefined
        ? {}
        : { stag, recovery: this.faultModelOf(stream) === 'pri' ? 'pri' : 'stall' }),
    });
    return undefined;
  }
}

function extentAt(target: number, bytes: number, pid: number | undefined): Extent {
  if (target < PROCESS_TARGET || pid === undefined) return { address: physAddr(target), bytes };
  return { address: physAddr(target - PROCESS_TARGET), bytes, pid };
}
