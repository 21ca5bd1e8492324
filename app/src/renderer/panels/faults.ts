import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { clockTime, count, plural } from '../widgets/format.ts';
import { VirtualList } from '../widgets/virtual-list.ts';
import { FaultDetail } from './fault-detail.ts';
import { FaultRow } from './fault-row.ts';
import type { Frame, Panel } from './panel.ts';

const ROW_HEIGHT_PX = 26;

/** The fault log, newest first. Its details follow the newest fault until the user picks another one. */
export class FaultsPanel implements Panel {
  private readonly note = byId('faults-note', HTMLElement);
  private readonly empty = el('p', { class: 'empty' });
  private readonly list: VirtualList<FaultRow>;
  private readonly detail = new FaultDetail(() => this.pick(undefined));
  private frame: Frame | undefined;
  private position = 0;
  /** Sequence number of the fault that the user picked. */
  private picked: number | undefined;
  private selected: FaultSnapshot | undefined;

  constructor(private readonly onChange: () => void) {
    this.list = new VirtualList({
      rowHeightPx: ROW_HEIGHT_PX,
      createRow: () => new FaultRow((seq) => this.pick(seq)),
      fillRow: (row, index) => this.fillRow(row, index),
    });
    const { root } = this.list;
    root.setAttribute('role', 'listbox');
    root.setAttribute('aria-label', 'Fault log, newest first');
    root.tabIndex = 0;
    root.addEventListener('keydown', (event) => this.moveBy(event));
    byId('faults', HTMLElement).append(this.empty, root, this.detail.root);
  }

  render(frame: Frame): void {
    const { store, faultPosition, reading } = frame;
    const length = Math.min(faultPosition, store.faults.length);
    const added = Math.max(0, faultPosition - this.position);
    this.frame = frame;
    this.position = faultPosition;
    if (length === 0) this.picked = undefined;
    this.empty.hidden = length > 0;
    this.list.root.hidden = length === 0;
    this.detail.root.hidden = length === 0;
    setText(this.note, noteOf(length, store.faults.missed));
    if (length === 0) {
      setText(this.empty, emptyWords(frame));
      return;
    }
    this.selected = this.find(this.picked) ?? store.faults.newest(0, faultPosition);
    if (this.selected !== undefined) this.detail.show(this.selected, this.picked === undefined);
    this.list.update(length, reading === undefined ? 0 : added);
  }

  dispose(): void {
    this.list.dispose();
  }

  /** Back to following the newest fault. */
  follow(): void {
    this.pick(undefined);
  }

  private pick(seq: number | undefined): void {
    this.picked = seq;
    if (seq === undefined) this.list.root.scrollTop = 0;
    this.onChange();
  }

  private fillRow(row: FaultRow, index: number): void {
    const fault = this.at(index);
    if (fault !== undefined) row.show(fault, fault.seq === this.selected?.seq);
  }

  private moveBy(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step === undefined || this.selected === undefined) return;
    event.preventDefault();
    const length = Math.min(this.position, this.frame?.store.faults.length ?? 0);
    const index = Math.min(length - 1, Math.max(0, this.indexOf(this.selected.seq) + step));
    this.list.scrollTo(index);
    this.pick(this.at(index)?.seq);
  }

  private at(index: number): FaultSnapshot | undefined {
    return this.frame?.store.faults.newest(index, this.position);
  }

  private find(seq: number | undefined): FaultSnapshot | undefined {
    return seq === undefined ? undefined : this.at(this.indexOf(seq));
  }

  /** Place of a fault in the list: sequence numbers ascend, so it is looked for by halves. */
  private indexOf(seq: number): number {
    let low = 0;
    let high = Math.min(this.position, this.frame?.store.faults.length ?? 0) - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle)?.seq ?? 0) <= seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const noteOf = (length: number, missed: number) =>
  [
    length === 0 ? '' : plural(length, 'fault'),
    missed === 0 ? '' : `${count(missed)} more not sent: too many at once`,
  ]
    .filter(Boolean)
    .join(' · ');

function emptyWords({ store, reading }: Frame): string {
  if (store.status === undefined || reading === undefined)
    return 'Faults appear here once the service answers.';
  return `No faults since the service started at ${clockTime(store.status.startedAtMs)}. An access that the IOMMU refuses appears here with its reason and the next action.`;
}
