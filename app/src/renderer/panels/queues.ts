import type { QueueRow } from '../store/rates.ts';
import { DataTable } from '../widgets/data-table.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { plural } from '../widgets/format.ts';
import { parseQuery, type Query } from '../widgets/query.ts';
import { Pace } from './pace.ts';
import type { Frame, PageActions, Panel } from './panel.ts';
import { queueColumns, searchableQueue, type TrendSource } from './queue-columns.ts';

/** Every open queue pair in one table that sorts by any column and filters by words and fields. */
export class QueuesPanel implements Panel {
  private readonly table: DataTable<QueueRow>;
  private readonly pace = new Pace();
  private readonly empty = el('p', { class: 'empty' });
  private readonly note = byId('queues-note', HTMLElement);
  private readonly input = byId('queue-filter', HTMLInputElement);
  private query: Query = () => true;
  private followedPlace = -1;
  private trend: TrendSource | undefined;

  constructor(actions: PageActions) {
    this.table = new DataTable(
      queueColumns(() => this.trend),
      ({ queue }) => queue.id,
      { key: 'id', isDescending: false },
      () => actions.invalidate(),
      { onChoose: (id) => actions.showQueue(id) },
    );
    const root = byId('queues', HTMLElement);
    root.tabIndex = 0; // it scrolls, so the keyboard must reach it
    root.append(this.table.root, this.empty);
    this.input.addEventListener('input', () => {
      this.query = parseQuery(this.input.value);
      actions.invalidate();
    });
  }

  focusFilter(): void {
    this.input.focus();
    this.input.select();
  }

  isFilterFocused(): boolean {
    return document.activeElement === this.input;
  }

  clearFilter(): void {
    this.input.value = '';
    this.input.dispatchEvent(new Event('input'));
    this.input.blur();
  }

  render(frame: Frame): void {
    const { reading, store, palette } = frame;
    const { sort, chosenKey } = this.table;
    const asked = [this.input.value, sort.key, sort.isDescending, chosenKey, reading?.queues.length].join();
    if (!this.pace.isDue(frame, asked)) return;
    this.trend = reading && { history: store.queueHistory, endMs: reading.atMs, palette };
    const all = reading?.queues ?? [];
    const shown = all.filter((row) => this.query(searchableQueue(row)));
    this.table.render(shown);
    if (this.table.chosenKey !== undefined) this.followRow();
    setText(this.note, noteOf(all.length, shown.length, reading !== undefined));
    this.empty.hidden = shown.length > 0;
    setText(this.empty, this.emptyWords(all.length, reading !== undefined));
  }

  /** A chosen row is kept in sight when sorting moves it. */
  private followRow(): void {
    const place = shownPlace(this.table);
    if (place === this.followedPlace) return;
    this.followedPlace = place;
    this.table.reveal();
  }

  private emptyWords(total: number, hasReading: boolean): string {
    if (!hasReading) return 'Queues appear here once the service answers.';
    if (total === 0)
      return 'No queue is open. A queue opens with the first request and stays open for the next.';
    return `No queue matches “${this.input.value}”. Esc clears the filter.`;
  }
}

const shownPlace = ({ root, chosenKey }: DataTable<QueueRow>) =>
  [...(root.tBodies[0]?.rows ?? [])].findIndex((row) => row.dataset['key'] === chosenKey);

function noteOf(total: number, shown: number, hasReading: boolean): string {
  if (!hasReading) return '';
  return shown === total ? `${plural(total, 'queue')} open` : `${shown} of ${plural(total, 'queue')}`;
}
