import { WarpDriveError } from '../../../../shared/src/problem.ts';
import {
  type Iova,
  PAGE_BYTES,
  type Pasid,
  pasid,
  physAddr,
  type StreamId,
} from '../../../../shared/src/units.ts';
import type { Clock } from '../../platform/clock.ts';
import { type AddressSpace, INPUT_ADDRESS_LIMIT } from './address-space.ts';
import type { FaultEvent, FaultRecord } from './fault-record.ts';
import type { Access, Extent, Translator } from './translator.ts';

const MAX_PASID = (1 << 20) - 1;
const FAULTS_KEPT = 1000;

/** What a device can do about a page that is not present: nothing, or have its transaction held until it is. */
export type FaultModel = 'none' | 'stall' | 'pri';

/**
 * The guard between devices and memory: finds the address space of a (stream, PASID), walks it for every access and
 * records what it refuses. Knows no queues and no processes.
 */
export class Iommu implements Translator {
  private readonly spaces = new Map<Pasid, { stream: StreamId; space: AddressSpace }>();
  /** Traffic without PASID, per stream. */
  private readonly defaults = new Map<StreamId, AddressSpace>();
  private readonly recorded: FaultRecord[] = [];
  private readonly listeners = new Set<(record: FaultRecord) => void>();
  private nextPasid = 1;
  private seq = 0;
  private pageRequests = 0;

  constructor(
    private readonly clock: Clock,
    readonly faultModel: FaultModel,
  ) {}

  get pasidsInUse(): number {
    return this.spaces.size;
  }

  /** Page faults that were resolved by bringing the page in. */
  get resolvedPageRequests(): number {
    return this.pageRequests;
  }

  get faultCount(): number {
    return this.seq;
  }

  /** Binds an address space to a device. @returns its PASID, for the kernel side only */
  bind(stream: StreamId, space: AddressSpace): Pasid {
    for (let tried = 0; tried < MAX_PASID; tried++) {
      const candidate = pasid(this.nextPasid);
      this.nextPasid = this.nextPasid === MAX_PASID ? 1 : this.nextPasid + 1;
      if (this.spaces.has(candidate)) continue;
      this.spaces.set(candidate, { stream, space });
      return candidate;
    }
    throw new WarpDriveError('WD_E_EBUSY', `all ${MAX_PASID} PASIDs are in use`);
  }

  /** From here on every access with this PASID faults. */
  unbind(id: Pasid): void {
    this.spaces.delete(id);
  }

  /** The space for traffic of `stream` that carries no PASID. */
  attach(stream: StreamId, space: AddressSpace): void {
    this.defaults.set(stream, space);
  }

  translate(stream: StreamId, id: Pasid, address: Iova, bytes: number, access: Access): Extent[] | undefined {
    const space = this.spaceOf(stream, id);
    if (!space) return this.refuse('C_BAD_SUBSTREAMID', stream, id, address, access);
    if (!(address >= 0) || address + bytes > INPUT_ADDRESS_LIMIT)
      return this.refuse('F_TRANSLATION', stream, id, address, access);
    const extents: Extent[] = [];
    let last: Extent | undefined;
    for (let at: number = address; at < address + bytes; ) {
      const page = Math.floor(at / PAGE_BYTES);
      const offset = at - page * PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - offset, address + bytes - at);
      let frame = space.lookup(page, access);
      if (frame === 'absent' && this.pageIn(space, page)) frame = space.lookup(page, access);
      if (frame === 'absent') return this.refuse('F_TRANSLATION', stream, id, at, access);
      if (frame === 'forbidden') return this.refuse('F_PERMISSION', stream, id, at, access);
      if (last && last.address + last.bytes === frame + offset) last.bytes += length;
      else {
        last = { address: physAddr(frame + offset), bytes: length };
        extents.push(last);
      }
      at += length;
    }
    return extents;
  }

  /** Records kept, oldest first; `sinceSeq` leaves out what the caller has. */
  faults(sinceSeq = 0): FaultRecord[] {
    return this.recorded.filter((record) => record.seq > sinceSeq);
  }

  /** @returns the unsubscribe function */
  onFault(listener: (record: FaultRecord) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private spaceOf(stream: StreamId, id: Pasid): AddressSpace | undefined {
    if (id === 0) return this.defaults.get(stream);
    const bound = this.spaces.get(id);
    return bound?.stream === stream ? bound.space : undefined;
  }

  private pageIn(space: AddressSpace, page: number): boolean {
    if (space.kind !== 'sva' || this.faultModel === 'none' || !space.makePresent(page)) return false;
    this.pageRequests++;
    return true;
  }

  private refuse(event: FaultEvent, streamId: StreamId, id: Pasid, at: number, access: Access): undefined {
    const record: FaultRecord = {
      seq: ++this.seq,
      atMs: this.clock.wallMs(),
      event,
      streamId,
      pasid: id,
      iova: at,
      access,
    };
    this.recorded.push(record);
    if (this.recorded.length > FAULTS_KEPT) this.recorded.shift();
    for (const listener of this.listeners) listener(record);
  }
}
