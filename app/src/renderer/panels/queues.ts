import type { QueueRow } from '../store/rates.ts';
import { DataTable } from '../widgets/data-table.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { plural } from '../widgets/format.ts';
import { parseQuery, type Query } from '../widgets/query.ts';
import type { Frame, Panel } from './panel.ts';
import { QUEUE_COLUMNS, searchableQueue } from './queue-columns.ts';

/** Every open queue pair in one table that sorts by any column and filters by words and fields. */
export class QueuesPanel implements Panel {
  private readonly table: DataTable<QueueRow>;
  private readonly empty = el('p', { class: 'empty' });
  private readonly note = byId('queues-note', HTMLElement);
  private readonly input = byId('queue-filter', HTMLInputElement);
  private query: Query = () => true;

  constructor(onChange: () => void) {
    this.table = new DataTable(
      QUEUE_COLUMNS,
      ({ queue }) => queue.id,
      { key: 'id', isDescending: false },
      onChange,
    );
    byId('queues', HTMLElement).append(this.table.root, this.empty);
    this.input.addEventListener('input', () => {
      this.query = parseQuery(this.input.value);
      onChange();
    });
  }

  focusFilter(): void {
    this.input.focus();
    this.input.select();
  }

  clearFilter(): void {
    this.input.value = '';
    this.input.dispatchEvent(new Event('input'));
    this.input.blur();
  }

  render({ reading }: Frame): void {
    const all = reading?.queues ?? [];
    const shown = all.filter((row) => this.query(searchableQueue(row)));
    this.table.render(shown);
    setText(this.note, noteOf(all.length, shown.length, reading !== undefined));
    this.empty.hidden = shown.length > 0;
    setText(this.empty, this.emptyWords(all.length, reading !== undefined));
  }

  private emptyWords(total: number, hasReading: boolean): string {
    if (!hasReading) return 'Queues appear here once the service answers.';
    if (total === 0)
      return 'No queue is open. A queue opens with the first request and stays open for the next.';
    return `No queue matches “${this.input.value}”. Esc clears the filter.`;
  }
}

function noteOf(total: number, shown: number, hasReading: boolean): string {
  if (!hasReading) return '';
  return shown === total ? `${plural(total, 'queue')} open` : `${shown} of ${plural(total, 'queue')}`;
}
