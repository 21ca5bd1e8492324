import { bytesText } from '../text.ts';
import type { QueueRates } from './model.ts';

export interface Column {
  title: string;
  /** What rows are ordered by: text upwards, numbers downwards. */
  key: (row: QueueRates) => string | number;
  text: (row: QueueRates) => string;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const micros = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(0));

/** The columns of the queue table, in order; `--sort` takes their titles in lower case. */
export const COLUMNS: readonly Column[] = [
  { title: 'QUEUE', key: (r) => r.queue.id, text: (r) => r.queue.id },
  {
    title: 'OWNER',
    key: (r) => r.queue.owner.name,
    text: (r) => `${r.queue.owner.name} (${r.queue.owner.pid})`,
  },
  { title: 'MODE', key: (r) => r.queue.mode, text: (r) => r.queue.mode },
  { title: 'OPERATION', key: (r) => r.queue.operation, text: (r) => r.queue.operation },
  { title: 'STATE', key: (r) => r.queue.state, text: (r) => r.queue.state },
  { title: 'PRIO', key: (r) => r.queue.priority, text: (r) => String(r.queue.priority) },
  { title: 'FLIGHT', key: (r) => r.queue.inFlight, text: (r) => String(r.queue.inFlight) },
  { title: 'OP/S', key: (r) => r.operationsPerSec, text: (r) => whole(r.operationsPerSec) },
  { title: 'IN/S', key: (r) => r.bytesInPerSec, text: (r) => bytesText(Math.round(r.bytesInPerSec)) },
  { title: 'OUT/S', key: (r) => r.bytesOutPerSec, text: (r) => bytesText(Math.round(r.bytesOutPerSec)) },
  { title: 'BUSY', key: (r) => r.queue.busy, text: (r) => String(r.queue.busy) },
  { title: 'ERRORS', key: (r) => r.queue.errors, text: (r) => String(r.queue.errors) },
  { title: 'P50µS', key: (r) => r.queue.latencyUs?.p50 ?? -1, text: (r) => micros(r.queue.latencyUs?.p50) },
  { title: 'P99µS', key: (r) => r.queue.latencyUs?.p99 ?? -1, text: (r) => micros(r.queue.latencyUs?.p99) },
];

/** Names for `--sort`; the Greek letter is no trouble to type as u. */
export const SORT_NAMES: readonly string[] = COLUMNS.map(({ title }) =>
  title.toLowerCase().replace('µ', 'u'),
);

/** Rows whose text has every word of the filter, ordered by a column. */
export function arrange(
  rows: readonly QueueRates[],
  { sort, reverse, filter }: { sort: number; reverse: boolean; filter: string },
): QueueRates[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const column = COLUMNS[sort];
  const kept = rows.filter((row) => {
    const text = COLUMNS.map((one) => one.text(row))
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (column !== undefined) kept.sort((a, b) => compare(column.key(a), column.key(b)));
  return reverse ? kept.reverse() : kept;
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return b - a;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
