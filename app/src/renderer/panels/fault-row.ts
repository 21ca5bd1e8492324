import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';
import { el, setAttribute, setText } from '../widgets/dom.ts';
import { clockTime } from '../widgets/format.ts';

/** One line of the fault log. */
export class FaultRow {
  /** Sequence number of the fault now shown. */
  seq = -1;
  private readonly time = el('span', { class: 'fault-time' });
  private readonly outcome = el('span', { class: 'fault-outcome' });
  private readonly event = el('span', { class: 'fault-event' });
  private readonly access = el('span', { class: 'fault-access' });
  private readonly queue = el('span', { class: 'fault-queue' });
  private readonly reason = el('span', { class: 'fault-reason' });
  readonly root = el(
    'div',
    { class: 'fault-row', attrs: { role: 'option' } },
    this.time,
    this.outcome,
    this.event,
    this.access,
    this.queue,
    this.reason,
  );

  constructor(onPick: (seq: number) => void) {
    this.root.addEventListener('click', () => onPick(this.seq));
  }

  show(fault: FaultSnapshot, isSelected: boolean): void {
    setAttribute(this.root, 'aria-selected', String(isSelected));
    if (this.seq === fault.seq) return;
    this.seq = fault.seq;
    this.root.id = `fault-${fault.seq}`;
    setText(this.time, clockTime(fault.atMs, true));
    setText(this.outcome, fault.outcome);
    this.outcome.dataset['outcome'] = fault.outcome;
    setText(this.event, fault.event);
    setText(this.access, `${fault.access} ${fault.iova.replace(/^0x0+(?=.)/, '0x')}`);
    const { owner } = fault;
    setText(this.queue, owner === undefined ? (fault.queue ?? fault.device) : `${owner.name} ${owner.pid}`);
    this.queue.title = `${owner === undefined ? 'no process known' : `process ${owner.name} ${owner.pid}`}, ${fault.queue ?? fault.device}`;
    setText(this.reason, fault.reason);
    this.reason.title = fault.reason;
  }
}
