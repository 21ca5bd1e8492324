import { addressSpaceOf } from '../store/iommu-tree.ts';
import { QUEUE_CHANNELS, type QueueChannel } from '../store/queue-history.ts';
import type { QueueRow } from '../store/rates.ts';
import { TimeRing } from '../store/time-ring.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { count, duration, figure, megabytes, percent } from '../widgets/format.ts';
import { type ChartEvents, type Curve, LineChart } from '../widgets/line-chart.ts';
import type { Confirm } from './confirm.ts';
import { Pace } from './pace.ts';
import type { Frame, PageActions, Panel } from './panel.ts';

const NOTHING = new TimeRing(QUEUE_CHANNELS, 1);
const CHARTS: readonly {
  title: string;
  perUnit: number;
  leastTop: number;
  curves: readonly (Curve<QueueChannel> & { label: string; text(value: number): string })[];
}[] = [
  {
    title: 'In flight, jobs',
    perUnit: 1,
    leastTop: 4,
    curves: [{ channel: 'inFlight', dashed: false, label: 'in flight', text: figure }],
  },
  {
    title: 'Latency, ms',
    perUnit: 1_000,
    leastTop: 0.1,
    curves: [
      { channel: 'p99Us', dashed: false, label: 'p99', text: duration },
      { channel: 'p50Us', dashed: true, label: 'p50', text: duration },
    ],
  },
  {
    title: 'In, MB/s',
    perUnit: 1e6,
    leastTop: 1,
    curves: [{ channel: 'inBytesPerSec', dashed: false, label: 'in', text: megabytes }],
  },
];

/** One queue pair over time: what became of its SQEs, how full its ring was, how long jobs took. */
export class QueueDetailPanel implements Panel {
  private readonly title = byId('queue-title', HTMLElement);
  private readonly empty = el('p', {
    class: 'empty',
    text: 'Choose a queue in the table: click it, or move to it with the arrow keys and press Enter.',
  });
  private readonly facts = el('dl', { class: 'pairs' });
  private readonly values = new Map<string, HTMLElement>();
  private readonly content = el('div', { class: 'queue-content' });
  private readonly charts: {
    chart: LineChart<QueueChannel>;
    figures: HTMLElement[];
    spec: (typeof CHARTS)[number];
  }[];
  private readonly reset = el('button', { class: 'action', text: 'Reset queue', attrs: { type: 'button' } });
  private readonly answer = el('p', { class: 'answer', attrs: { role: 'status' } });
  private readonly pace = new Pace();
  private id: string | undefined;
  private frame: Frame | undefined;

  constructor(
    private readonly actions: PageActions,
    private readonly confirm: Confirm,
    events: ChartEvents,
  ) {
    byId('queue-actions', HTMLElement).append(this.reset);
    this.reset.addEventListener('click', () => void this.resetQueue());
    this.content.append(this.answer, this.facts);
    this.charts = CHARTS.map((spec) => {
      const canvas = el('canvas', {
        attrs: { role: 'img', 'aria-label': `${spec.title} of this queue over time` },
      });
      const figures = spec.curves.map(() => el('b', { text: '–' }));
      const legend = el('p', { class: 'legend' });
      spec.curves.forEach(({ label, dashed }, index) => {
        const line = el('i', { class: dashed ? 'line line-dashed' : 'line' });
        legend.append(el('span', { class: 'legend-item' }, line, `${label} `, figures[index] ?? ''));
      });
      this.content.append(
        el('div', { class: 'queue-chart-head' }, el('h3', { text: spec.title }), legend),
        el('div', { class: 'chart queue-chart' }, canvas),
      );
      return { chart: new LineChart(canvas, spec.curves, { ...spec, events }), figures, spec };
    });
    const root = byId('queue', HTMLElement);
    root.tabIndex = 0; // it scrolls, so the keyboard must reach it
    root.append(this.empty, this.content);
  }

  /** Shows this queue from now on, also after it closed. */
  follow(id: string): void {
    if (this.id !== id) setText(this.answer, '');
    this.id = id;
    this.actions.invalidate();
  }

  get followed(): string | undefined {
    return this.id;
  }

  render(frame: Frame): void {
    this.frame = frame;
    const row = frame.reading?.queues.find(({ queue }) => queue.id === this.id);
    this.empty.hidden = this.id !== undefined;
    this.content.hidden = this.id === undefined;
    this.reset.hidden = row === undefined;
    setText(this.title, this.id === undefined ? 'Queue details' : `Queue ${this.id}`);
    setText(byId('queue-note', HTMLElement), this.id !== undefined && row === undefined ? 'closed' : '');
    if (this.id === undefined || !this.pace.isDue(frame, `${this.id} ${row === undefined}`)) return;
    const { window, crosshairMs, markMs, palette, store } = frame;
    const ring = store.queueHistory.of(this.id) ?? NOTHING;
    for (const { chart } of this.charts) chart.draw({ ring, window, crosshairMs, markMs, palette });
    if (row !== undefined) this.fill(row, frame);
    for (const { figures, spec } of this.charts) {
      spec.curves.forEach(({ channel, text }, index) => {
        const value = figures[index];
        if (value !== undefined)
          setText(value, text(ring.valueAt(channel, crosshairMs ?? window.toMs, 3_000)));
      });
    }
  }

  dispose(): void {
    for (const { chart } of this.charts) chart.dispose();
  }

  private fill(row: QueueRow, { reading }: Frame): void {
    const { queue } = row;
    const bdf = reading?.devices.find(({ device }) => device.name === queue.device)?.device.bdf;
    const good = queue.operations - queue.errors;
    const pairs: [string, string][] = [
      ['State', `${queue.state}, ${queue.mode}, ${queue.operation}, priority ${queue.priority}`],
      ['Owner', `${queue.owner.name}, process ${queue.owner.pid}`],
      ['mdev', queue.mdev === '' ? 'none (uacce view or the service’s own)' : queue.mdev],
      ['Memory', reading?.iommu === undefined ? '–' : addressSpaceOf(queue, bdf, reading.iommu)],
      ['SQEs', `${count(queue.operations)} completed: ${count(good)} good, ${count(queue.errors)} failed`],
      [
        'Now',
        `${count(queue.inFlight)} of ${queue.depth - 1} slots, ${percent(queue.inFlight / (queue.depth - 1))}`,
      ],
      [
        'Rate',
        `${figure(row.opsPerSec)} jobs/s, ${megabytes(row.inBytesPerSec)} MB/s in, ${megabytes(row.outBytesPerSec)} MB/s out`,
      ],
      ['Doorbells', `${count(queue.doorbells)}; refused by a full ring ${count(queue.busy)}`],
      ['Last error', queue.lastError ?? 'none'],
    ];
    for (const [name, text] of pairs) {
      let value = this.values.get(name);
      if (value === undefined) {
        value = el('dd');
        this.values.set(name, value);
        this.facts.append(el('dt', { text: name }), value);
      }
      setText(value, text);
    }
  }

  private async resetQueue(): Promise<void> {
    const { id, frame } = this;
    if (id === undefined || frame === undefined) return;
    if (frame.store.isAdmin !== true) {
      this.actions.askToken();
      return;
    }
    const isSure = await this.confirm.ask({
      title: `Reset queue ${id}?`,
      text: 'Its jobs in flight end with an error; its user opens another queue.',
      yes: 'Reset the queue',
    });
    if (!isSure) return;
    const outcome = await frame.service.api.resetQueue(id);
    setText(this.answer, outcome.ok ? 'The queue was reset.' : outcome.words);
  }
}
