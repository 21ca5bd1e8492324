import type { QueueMode } from '../../../shared/src/telemetry.ts';
import type { QueueFile } from './queue-file.ts';

/** Who opened a queue and how its requests reach memory. */
export interface QueueUser {
  readonly owner: { pid: number; name: string };
  readonly mode: QueueMode;
}

/** Every open queue with its user, by hardware queue number: what interrupts, resets and snapshots go by. */
export class QueueRegistry {
  private readonly open = new Map<number, { process: QueueUser; queue: QueueFile }>();

  add(process: QueueUser, queue: QueueFile): void {
    this.open.set(queue.qpId, { process, queue });
  }

  /** Only if it is still this queue's entry: its number may have a new user already. */
  remove(queue: QueueFile): void {
    if (this.open.get(queue.qpId)?.queue === queue) this.open.delete(queue.qpId);
  }

  find(qpId: number): QueueFile | undefined {
    return this.open.get(qpId)?.queue;
  }

  list(): { process: QueueUser; queue: QueueFile }[] {
    return [...this.open.values()];
  }
}
