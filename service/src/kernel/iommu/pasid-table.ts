import { type Pasid, pasid, type StreamId } from '../../../../shared/src/units.ts';
import { kernelError } from '../errno.ts';
import type { IommuDomain } from './domain.ts';
import type { TranslationSpace } from './space.ts';

/** The queue context holds 16 bits of a PASID (Linux drivers/crypto/hisilicon/qm.c, struct qm_sqc pasid). */
export const MAX_PASID = 0xffff;

/** One address space that devices reach by PASID. */
export interface PasidEntry {
  readonly pasid: Pasid;
  readonly domain: IommuDomain;
  /** Binds a device holds, by stream. */
  readonly binds: Map<StreamId, number>;
}

/** PASID → domain. One address space has one PASID, however often and on however many devices it is bound. */
export class PasidTable {
  private readonly byPasid = new Map<Pasid, PasidEntry>();
  private readonly bySpace = new Map<TranslationSpace, PasidEntry>();
  private next = 1;

  get size(): number {
    return this.byPasid.size;
  }

  entries(): IterableIterator<PasidEntry> {
    return this.byPasid.values();
  }

  of(space: TranslationSpace): PasidEntry | undefined {
    return this.bySpace.get(space);
  }

  /** The entry that `stream` may use under this PASID. */
  find(stream: StreamId, id: Pasid): PasidEntry | undefined {
    const entry = this.byPasid.get(id);
    return entry?.binds.has(stream) ? entry : undefined;
  }

  /** Counts one bind more. @throws WD_E_EBUSY when every PASID is in use */
  bind(stream: StreamId, domain: IommuDomain): PasidEntry {
    const entry = this.bySpace.get(domain.space) ?? this.add(domain);
    entry.binds.set(stream, (entry.binds.get(stream) ?? 0) + 1);
    return entry;
  }

  /** Counts one bind less. @returns the entry if that was the last one on any device: it is gone now */
  unbind(stream: StreamId, id: Pasid): PasidEntry | undefined {
    const entry = this.byPasid.get(id);
    const binds = entry?.binds.get(stream);
    if (!entry || binds === undefined) return undefined;
    if (binds > 1) entry.binds.set(stream, binds - 1);
    else entry.binds.delete(stream);
    if (entry.binds.size > 0) return undefined;
    this.byPasid.delete(id);
    this.bySpace.delete(entry.domain.space);
    return entry;
  }

  private add(domain: IommuDomain): PasidEntry {
    for (let tried = 0; tried < MAX_PASID; tried++) {
      const candidate = pasid(this.next);
      this.next = this.next === MAX_PASID ? 1 : this.next + 1;
      if (this.byPasid.has(candidate)) continue;
      const entry: PasidEntry = { pasid: candidate, domain, binds: new Map() };
      this.byPasid.set(candidate, entry);
      this.bySpace.set(domain.space, entry);
      return entry;
    }
    throw kernelError('EBUSY', `all ${MAX_PASID} PASIDs are in use`, { limit: MAX_PASID });
  }
}
