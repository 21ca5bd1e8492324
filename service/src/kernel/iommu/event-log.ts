import type { FaultRecord } from './fault-record.ts';

/** The last records, oldest first; what is pushed out is counted, as the SMMU driver reports lost events. */
export class EventLog {
  private readonly kept: FaultRecord[] = [];
  private readonly listeners = new Set<(record: FaultRecord) => void>();
  private recordedCount = 0;
  private lostCount = 0;

  constructor(private readonly capacity: number) {}

  get recorded(): number {
    return this.recordedCount;
  }

  get lost(): number {
    return this.lostCount;
  }

  /** @param record without its sequence number, which counts from 1 */
  add(record: Omit<FaultRecord, 'seq'>): FaultRecord {
    const numbered: FaultRecord = { seq: ++this.recordedCount, ...record };
    this.kept.push(numbered);
    if (this.kept.length > this.capacity) {
      this.kept.shift();
      this.lostCount++;
    }
    for (const listener of this.listeners) listener(numbered);
    return numbered;
  }

  /** @param sinceSeq leaves out what the caller has */
  list(sinceSeq = 0): FaultRecord[] {
    return this.kept.filter((record) => record.seq > sinceSeq);
  }

  /** @returns the unsubscribe function */
  onRecord(listener: (record: FaultRecord) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
