import type { QueueChannel, QueueHistory } from '../store/queue-history.ts';
import type { QueueRow } from '../store/rates.ts';
import type { Palette } from '../theme/palette.ts';
import type { Column } from '../widgets/data-table.ts';
import { count, duration, figure, megabytes } from '../widgets/format.ts';
import { Meter } from '../widgets/meter.ts';
import type { Searchable } from '../widgets/query.ts';
import { RowSparkline } from '../widgets/row-sparkline.ts';

const meters = new WeakMap<HTMLElement, Meter>();

function drawOccupancy(slot: HTMLElement, { queue }: QueueRow): void {
  let meter = meters.get(slot);
  if (meter === undefined) {
    meter = new Meter('Ring occupancy');
    meters.set(slot, meter);
    slot.append(meter.root);
  }
  meter.set(queue.inFlight / Math.max(1, queue.depth - 1));
}

const sparklines = new WeakMap<HTMLElement, RowSparkline<QueueChannel>>();

/** What the sparklines of all rows are drawn from; set before each drawing of the table. */
export interface TrendSource {
  history: QueueHistory;
  endMs: number;
  palette: Palette;
}

function drawTrend(slot: HTMLElement, id: string, { history, endMs, palette }: TrendSource): void {
  let sparkline = sparklines.get(slot);
  if (sparkline === undefined) {
    sparkline = new RowSparkline({ channel: 'inBytesPerSec', leastTop: 1e5 });
    sparklines.set(slot, sparkline);
    slot.append(sparkline.canvas);
  }
  sparkline.draw(history.of(id), endMs, palette);
}

const latency = (row: QueueRow, name: 'p50' | 'p99') => row.queue.latencyUs?.[name] ?? Number.NaN;

/** @param trend gives undefined before the first reading */
export const queueColumns = (trend: () => TrendSource | undefined): readonly Column<QueueRow>[] => [
  { key: 'id', label: 'Queue', hint: 'Device and queue pair number', text: ({ queue }) => queue.id },
  {
    key: 'state',
    label: 'State',
    hint: 'init, started, stopped, or zombie: its owner left while jobs were in flight',
    text: ({ queue }) => queue.state,
    tone: ({ queue }) => (queue.state === 'zombie' ? 'bad' : undefined),
    decorate: (slot, { queue }) => {
      if (slot.className !== `slot shape shape-${queue.state}`)
        slot.className = `slot shape shape-${queue.state}`;
    },
  },
  {
    key: 'owner',
    label: 'Owner',
    hint: 'Name and process id of the client',
    text: ({ queue }) => `${queue.owner.name} ${queue.owner.pid}`,
  },
  {
    key: 'mode',
    label: 'Mode',
    hint: 'How the device addresses memory: sva, vfio, noiommu or native',
    text: ({ queue }) => queue.mode,
  },
  { key: 'operation', label: 'Operation', hint: 'What its jobs do', text: ({ queue }) => queue.operation },
  {
    key: 'priority',
    label: 'Prio',
    hint: '0 to 15; higher is served more',
    numeric: true,
    text: ({ queue }) => String(queue.priority),
    order: ({ queue }) => queue.priority,
  },
  {
    key: 'depth',
    label: 'Depth',
    hint: 'Ring slots; one stays empty',
    numeric: true,
    optional: true,
    text: ({ queue }) => String(queue.depth),
    order: ({ queue }) => queue.depth,
  },
  {
    key: 'inFlight',
    label: 'In flight',
    hint: 'Jobs submitted and not completed; the bar is the share of usable ring slots',
    numeric: true,
    text: ({ queue }) => count(queue.inFlight),
    order: ({ queue }) => queue.inFlight,
    decorate: drawOccupancy,
  },
  {
    key: 'ops',
    label: 'Ops/s',
    hint: 'Jobs completed per second, mean of 1 s',
    numeric: true,
    text: (row) => figure(row.opsPerSec),
    order: (row) => row.opsPerSec,
  },
  {
    key: 'total',
    label: 'Ops',
    hint: 'Jobs completed since the queue opened, failed ones included',
    numeric: true,
    optional: true,
    text: ({ queue }) => count(queue.operations),
    order: ({ queue }) => queue.operations,
  },
  {
    key: 'in',
    label: 'In MB/s',
    hint: 'Bytes read by the engine, 10⁶ per second, mean of 1 s',
    numeric: true,
    text: (row) => megabytes(row.inBytesPerSec),
    order: (row) => row.inBytesPerSec,
  },
  {
    key: 'out',
    label: 'Out MB/s',
    hint: 'Bytes written by the engine, 10⁶ per second, mean of 1 s',
    numeric: true,
    text: (row) => megabytes(row.outBytesPerSec),
    order: (row) => row.outBytesPerSec,
  },
  {
    key: 'trend',
    label: 'Last min',
    hint: 'In MB/s over the last minute, each row by its own largest value; sorts by the value now',
    optional: true,
    text: () => '',
    order: (row) => row.inBytesPerSec,
    decorate: (slot, { queue }) => {
      const source = trend();
      if (source !== undefined) drawTrend(slot, queue.id, source);
    },
  },
  {
    key: 'busy',
    label: 'Busy',
    hint: 'Submissions refused because the ring was full, since the queue opened',
    numeric: true,
    text: ({ queue }) => count(queue.busy),
    order: ({ queue }) => queue.busy,
    tone: (row) => (row.busyPerSec > 0 ? 'warn' : undefined),
  },
  {
    key: 'p50',
    label: 'p50',
    hint: 'Submission to completion, median of the last jobs',
    numeric: true,
    optional: true,
    text: (row) => duration(latency(row, 'p50')),
    order: (row) => latency(row, 'p50'),
  },
  {
    key: 'p99',
    label: 'p99',
    hint: 'Submission to completion, 99 of 100 jobs are quicker',
    numeric: true,
    text: (row) => duration(latency(row, 'p99')),
    order: (row) => latency(row, 'p99'),
  },
  {
    key: 'errors',
    label: 'Errors',
    hint: 'Jobs that failed since the queue opened',
    numeric: true,
    text: ({ queue }) => count(queue.errors),
    order: ({ queue }) => queue.errors,
    tone: ({ queue }) => (queue.errors > 0 ? 'bad' : undefined),
  },
  {
    key: 'lastError',
    label: 'Last error',
    hint: 'What the last failed job ended with',
    text: ({ queue }) => queue.lastError ?? '',
    tone: ({ queue }) => (queue.lastError === undefined ? undefined : 'bad'),
  },
];

export function searchableQueue({ queue }: QueueRow): Searchable {
  const fields = {
    queue: queue.id,
    device: queue.device,
    state: queue.state,
    owner: `${queue.owner.name} ${queue.owner.pid}`,
    pid: String(queue.owner.pid),
    mode: queue.mode,
    op: queue.operation,
    operation: queue.operation,
    mdev: queue.mdev,
    error: queue.lastError ?? '',
  };
  return { text: Object.values(fields).join(' '), fields };
}
