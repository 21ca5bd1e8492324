import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';
import { el, setText } from '../widgets/dom.ts';
import { clockTime } from '../widgets/format.ts';

const OUTCOMES: Record<FaultSnapshot['outcome'], string> = {
  aborted: 'The access was aborted; the job ended with an error.',
  resolved: 'The page was brought in and the access went on.',
  stalled: 'The access waits for an answer.',
};

/** One fault decoded: what happened, what to do about it, and the line that a Linux kernel would log. */
export class FaultDetail {
  private readonly title = el('h3');
  private readonly reason = el('p');
  private readonly advice = el('p', { class: 'fault-advice' });
  private readonly kernelLine = el('code', { class: 'fault-kernel', attrs: { tabindex: '0' } });
  private readonly facts = el('p', { class: 'muted' });
  private readonly moment = el('button', {
    class: 'action',
    text: 'Show in the charts',
    attrs: { type: 'button' },
  });
  private readonly copy = el('button', { class: 'action', text: 'Copy', attrs: { type: 'button' } });
  private readonly follow = el('button', {
    class: 'action',
    text: 'Follow newest',
    attrs: { type: 'button' },
  });
  readonly root = el(
    'article',
    { class: 'fault-detail', attrs: { 'aria-label': 'Fault details' } },
    el('div', { class: 'fault-buttons' }, this.follow, this.moment, this.copy),
    this.title,
    this.reason,
    this.advice,
    this.kernelLine,
    this.facts,
  );
  private shown: FaultSnapshot | undefined;

  constructor(events: { onFollow(): void; onShowMoment(atMs: number): void }) {
    this.follow.addEventListener('click', () => events.onFollow());
    this.moment.addEventListener('click', () => {
      if (this.shown !== undefined) events.onShowMoment(this.shown.atMs);
    });
    this.copy.addEventListener('click', () => void this.copyFault());
  }

  show(fault: FaultSnapshot, isFollowing: boolean): void {
    this.follow.hidden = isFollowing;
    if (this.shown === fault) return;
    this.shown = fault;
    setText(this.copy, 'Copy');
    setText(this.title, `${fault.event}: ${fault.access} at ${fault.iova}, ${clockTime(fault.atMs, true)}`);
    setText(this.reason, `${sentence(fault.reason)} ${OUTCOMES[fault.outcome]}`);
    setText(this.advice, `Next: ${fault.advice}`);
    const facts = [
      `#${fault.seq}`,
      fault.device,
      `stream 0x${fault.streamId.toString(16)}`,
      fault.owner === undefined ? '' : `process ${fault.owner.name} ${fault.owner.pid}`,
      fault.pasid === undefined ? '' : `PASID ${fault.pasid}`,
      fault.queue === undefined ? '' : `queue ${fault.queue}`,
    ];
    setText(this.facts, facts.filter(Boolean).join(' · '));
    setText(this.kernelLine, fault.kernelLine);
  }

  private async copyFault(): Promise<void> {
    try {
      await navigator.clipboard.writeText(JSON.stringify(this.shown));
      setText(this.copy, 'Copied');
    } catch {
      getSelection()?.selectAllChildren(this.root); // refused: leave the last step to the person
      setText(this.copy, 'Press Ctrl+C');
    }
  }
}

function sentence(words: string): string {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
