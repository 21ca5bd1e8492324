import type { FaultSnapshot } from '../../../shared/src/telemetry.ts';

/** As many as the IOMMU model keeps of one function. */
const KEPT = 1024;

/** The fault records of all functions in one order of arrival, numbered anew. */
export class FaultFeed {
  private readonly kept: FaultSnapshot[] = [];
  private readonly listeners = new Set<(fault: FaultSnapshot) => void>();
  private lastSeq = 0;

  /** @param fault PASID included */
  add(fault: FaultSnapshot): void {
    const numbered = { ...fault, seq: ++this.lastSeq };
    this.kept.push(numbered);
    if (this.kept.length > KEPT) this.kept.shift();
    for (const listener of this.listeners) listener(numbered);
  }

  list(sinceSeq = 0, isAdmin = false): FaultSnapshot[] {
    return this.kept
      .filter(({ seq }) => seq > sinceSeq)
      .map(({ pasid, ...fault }) => (isAdmin && pasid !== undefined ? { ...fault, pasid } : fault));
  }

  onFault(listener: (fault: FaultSnapshot) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
