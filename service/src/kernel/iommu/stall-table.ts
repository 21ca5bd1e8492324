import type { StreamId } from '../../../../shared/src/units.ts';
import { kernelError } from '../errno.ts';
import type { IommuDomain } from './domain.ts';
import type { FaultRecord, PageResponse } from './fault-record.ts';
import type { Stall } from './translator.ts';

/** A transaction that waits for the answer to its page request. */
export interface HeldTransaction {
  readonly stag: number;
  readonly streamId: StreamId;
  readonly domain: IommuDomain;
  readonly page: number;
  readonly record: FaultRecord;
  readonly raisedAtUs: number;
}

type Settle = (outcome: 'retry' | 'abort') => void;

/** Transactions on hold, by tag. The limit is the SMMU's STALL_MAX (IDR5): beyond it an access is aborted at once. */
export class StallTable {
  private readonly held = new Map<number, { transaction: HeldTransaction; settle: Settle }>();

  constructor(readonly limit = 256) {}

  get isFull(): boolean {
    return this.held.size >= this.limit;
  }

  list(): HeldTransaction[] {
    return [...this.held.values()].map(({ transaction }) => transaction);
  }

  hold(transaction: HeldTransaction, onTerminated: () => void): Stall {
    const { stag } = transaction;
    let settle: Settle = () => {};
    const outcome = new Promise<'retry' | 'abort'>((resolve) => {
      settle = resolve;
    });
    this.held.set(stag, { transaction, settle });
    return {
      stag,
      outcome,
      terminate: () => {
        if (!this.held.has(stag)) return;
        onTerminated();
        this.end(stag, 'abort');
      },
    };
  }

  /** @throws WD_E_EINVAL when no transaction has this tag */
  find(stag: number): HeldTransaction {
    const entry = this.held.get(stag);
    if (!entry) throw kernelError('EINVAL', `no stalled transaction has the tag ${stag}`, { field: 'stag' });
    return entry.transaction;
  }

  /** CMD_RESUME: retry on success, else abort (Linux arm-smmu-v3.c, arm_smmu_page_response). */
  resume(stag: number, response: PageResponse): void {
    this.end(stag, response === 'success' ? 'retry' : 'abort');
  }

  private end(stag: number, outcome: 'retry' | 'abort'): void {
    const entry = this.held.get(stag);
    this.held.delete(stag);
    entry?.settle(outcome);
  }
}
