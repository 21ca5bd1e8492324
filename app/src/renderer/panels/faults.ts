import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';
import { FaultFilter } from '../store/fault-filter.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { clockTime, count, plural } from '../widgets/format.ts';
import { VirtualList } from '../widgets/virtual-list.ts';
import { FaultDetail } from './fault-detail.ts';
import { FaultRow } from './fault-row.ts';
import type { Frame, PageActions, Panel } from './panel.ts';

const ROW_HEIGHT_PX = 26;

/** The fault log, newest first, searched by words and fields. Its details follow the newest fault until one is picked. */
export class FaultsPanel implements Panel {
  private readonly note = byId('faults-note', HTMLElement);
  private readonly input = byId('fault-filter', HTMLInputElement);
  private readonly outcome = byId('fault-outcome', HTMLSelectElement);
  private readonly source = byId('fault-source', HTMLSelectElement);
  private readonly empty = el('p', { class: 'empty' });
  private readonly list: VirtualList<FaultRow>;
  private readonly detail: FaultDetail;
  private readonly filter = new FaultFilter();
  private frame: Frame | undefined;
  private position = 0;
  private length = 0;
  /** Sequence number of the fault that the user picked. */
  private picked: number | undefined;
  private selected: FaultSnapshot | undefined;

  constructor(private readonly actions: PageActions) {
    this.list = new VirtualList({
      rowHeightPx: ROW_HEIGHT_PX,
      createRow: () => new FaultRow((seq) => this.pick(seq)),
      fillRow: (row, index) => this.fillRow(row, index),
    });
    this.detail = new FaultDetail({
      onFollow: () => this.follow(),
      onShowMoment: (atMs) => actions.showMoment(atMs),
    });
    const { root } = this.list;
    root.setAttribute('role', 'listbox');
    root.setAttribute('aria-label', 'Fault log, newest first');
    root.tabIndex = 0;
    root.addEventListener('keydown', (event) => this.moveBy(event));
    this.source.append(new Option('All devices', ''));
    for (const input of [this.input, this.outcome, this.source])
      input.addEventListener('input', () => {
        this.filter.set(this.query());
        this.picked = undefined;
        root.scrollTop = 0;
        actions.invalidate();
      });
    byId('faults', HTMLElement).append(this.empty, root, this.detail.root);
  }

  render(frame: Frame): void {
    const { store, faultPosition } = frame;
    const isOtherService = this.frame?.store !== store;
    this.frame = frame;
    this.position = faultPosition;
    if (isOtherService) {
      this.source.replaceChildren(new Option('All devices', ''));
      this.filter.set(this.query());
    }
    this.addSources(frame);
    const length = this.filter.length(store.faults, faultPosition);
    const added = isOtherService ? 0 : Math.max(0, length - this.length);
    this.length = length;
    if (length === 0) this.picked = undefined;
    this.empty.hidden = length > 0;
    this.list.root.hidden = length === 0;
    this.detail.root.hidden = length === 0;
    setText(this.note, this.noteWords(frame));
    if (length === 0) {
      setText(this.empty, this.emptyWords(frame));
      return;
    }
    this.selected = this.find(this.picked) ?? this.at(0);
    if (this.selected !== undefined) this.detail.show(this.selected, this.picked === undefined);
    this.list.update(length, added);
  }

  dispose(): void {
    this.list.dispose();
  }

  /** Back to following the newest fault. */
  follow(): void {
    this.pick(undefined);
  }

  /** Picks the last fault at or before a moment. */
  pickAt(atMs: number): void {
    const { frame } = this;
    const log = frame?.store.faults ?? this.frame?.store.faults;
    if (frame === undefined || log === undefined) return;
    this.clearFilter();
    let low = 0;
    let high = Math.max(0, log.length - 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((log.newest(middle)?.atMs ?? 0) <= atMs) high = middle;
      else low = middle + 1;
    }
    const fault = log.newest(low);
    if (fault === undefined) return;
    this.pick(fault.seq);
    this.list.scrollTo(low);
  }

  focusFilter(): void {
    this.input.focus();
    this.input.select();
  }

  isFilterFocused(): boolean {
    return [this.input, this.outcome, this.source].some((input) => input === document.activeElement);
  }

  clearFilter(): void {
    if (this.query() !== '') {
      this.input.value = '';
      this.outcome.value = '';
      this.source.value = '';
      this.input.dispatchEvent(new Event('input'));
    }
    this.input.blur();
  }

  /** What the list shows now, oldest first: what an export takes. */
  listed(): FaultSnapshot[] {
    const faults: FaultSnapshot[] = [];
    for (let index = this.length - 1; index >= 0; index--) {
      const fault = this.at(index);
      if (fault !== undefined) faults.push(fault);
    }
    return faults;
  }

  /** What the three fields ask for together, as one search. */
  private query(): string {
    return [
      this.input.value.trim(),
      this.outcome.value === '' ? '' : `outcome:${this.outcome.value}`,
      this.source.value === '' ? '' : `device:${this.source.value}`,
    ]
      .filter(Boolean)
      .join(' ');
  }

  /** Devices are only added: one that has left may still have faults in the log. */
  private addSources({ reading }: Frame): void {
    for (const { device } of reading?.devices ?? [])
      if (![...this.source.options].some(({ value }) => value === device.name))
        this.source.append(new Option(device.name));
  }

  private pick(seq: number | undefined): void {
    this.picked = seq;
    if (seq === undefined) this.list.root.scrollTop = 0;
    this.actions.invalidate();
  }

  private fillRow(row: FaultRow, index: number): void {
    const fault = this.at(index);
    if (fault !== undefined) row.show(fault, fault.seq === this.selected?.seq);
  }

  private moveBy(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[
      event.key
    ];
    if (step === undefined || this.selected === undefined) return;
    event.preventDefault();
    const index = Math.min(this.length - 1, Math.max(0, this.indexOf(this.selected.seq) + step));
    this.list.scrollTo(index);
    this.pick(this.at(index)?.seq);
  }

  private at(index: number): FaultSnapshot | undefined {
    const log = this.frame?.store.faults;
    return log === undefined ? undefined : this.filter.newest(log, index, this.position);
  }

  private find(seq: number | undefined): FaultSnapshot | undefined {
    return seq === undefined ? undefined : this.at(this.indexOf(seq));
  }

  /** Place of a fault in the list: sequence numbers ascend, so it is looked for by halves. */
  private indexOf(seq: number): number {
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle)?.seq ?? 0) <= seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private noteWords({ store, reading }: Frame): string {
    const total = Math.min(this.position, store.faults.length);
    const dropped = reading?.host?.droppedFaults ?? 0;
    const missed = Math.max(dropped, store.faults.missed);
    return [
      total === 0
        ? ''
        : this.filter.isOn
          ? `${count(this.length)} of ${plural(total, 'fault')}`
          : plural(total, 'fault'),
      missed === 0 ? '' : `${count(missed)} not sent: too many at once`,
    ]
      .filter(Boolean)
      .join(' · ');
  }

  private emptyWords({ store, reading }: Frame): string {
    if (store.status === undefined || reading === undefined)
      return 'Faults appear here once the service answers.';
    if (this.filter.isOn && store.faults.length > 0)
      return `No fault matches “${this.filter.text}”. Fields: pasid, reason, access, outcome, device, iova, queue, pid, owner, event, seq. Esc clears the search.`;
    return `No faults since the service started at ${clockTime(store.status.startedAtMs)}. An access that the IOMMU refuses appears here with its reason and the next action.`;
  }
}
