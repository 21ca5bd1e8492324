import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';
import { parseQuery, type Query, type Searchable } from '../widgets/query.ts';
import type { FaultLog } from './fault-log.ts';

/**
 * Which faults of the log a person asked for. It looks at each fault once, so that a filter over 100,000 faults costs
 * nothing while faults stream in.
 */
export class FaultFilter {
  text = '';
  private query: Query | undefined;
  /** Positions in the log, ascending; those that the ring has dropped are skipped from `start` on. */
  private matches: number[] = [];
  private start = 0;
  private looked = 0;
  private inserted = 0;

  get isOn(): boolean {
    return this.query !== undefined;
  }

  set(text: string): void {
    this.text = text.trim();
    this.query = this.text === '' ? undefined : parseQuery(this.text);
    this.forget();
  }

  /** How many faults of the log up to `position` it lets through. */
  length(log: FaultLog, position: number): number {
    if (this.query === undefined)
      return Math.max(0, Math.min(position, log.length - (log.position - position)));
    this.look(log);
    return this.end(position) - this.start;
  }

  /** The match `index` places before the newest one at `position`. */
  newest(log: FaultLog, index: number, position: number): FaultSnapshot | undefined {
    if (this.query === undefined) return log.newest(index, position);
    const place = this.matches[this.end(position) - 1 - index];
    return place === undefined ? undefined : log.newest(0, place + 1);
  }

  private look(log: FaultLog): void {
    if (log.inserted !== this.inserted || log.position < this.looked) {
      this.forget();
      this.inserted = log.inserted;
    }
    const oldest = log.position - log.length;
    for (let place = Math.max(this.looked, oldest); place < log.position; place++) {
      const fault = log.newest(0, place + 1);
      if (fault !== undefined && this.query?.(searchableFault(fault))) this.matches.push(place);
    }
    this.looked = log.position;
    while ((this.matches[this.start] ?? oldest) < oldest) this.start++;
    if (this.start > 10_000 && this.start * 2 > this.matches.length) {
      this.matches = this.matches.slice(this.start);
      this.start = 0;
    }
  }

  /** Matches before `position`: the paused page does not see later ones. */
  private end(position: number): number {
    let low = this.start;
    let high = this.matches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.matches[middle] ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private forget(): void {
    this.matches = [];
    this.start = 0;
    this.looked = 0;
  }
}

/** The fields that a search may name, such as `pasid:5 reason:permission access:write`. */
export function searchableFault(fault: FaultSnapshot): Searchable {
  return {
    get text() {
      return `${fault.seq} ${fault.event} ${fault.reason} ${fault.outcome} ${fault.access} ${fault.iova} ${fault.device} ${fault.queue ?? ''} ${fault.owner?.name ?? ''} ${fault.owner?.pid ?? ''}`;
    },
    fields: {
      reason: `${fault.event} ${fault.reason}`,
      event: fault.event,
      access: fault.access,
      outcome: fault.outcome,
      iova: fault.iova,
      device: fault.device,
      queue: fault.queue ?? '',
      owner: fault.owner === undefined ? '' : `${fault.owner.name} ${fault.owner.pid}`,
      pid: { exact: String(fault.owner?.pid ?? '') },
      pasid: { exact: String(fault.pasid ?? '') },
      seq: { exact: String(fault.seq) },
      stream: { exact: `0x${fault.streamId.toString(16)}` },
    },
  };
}
