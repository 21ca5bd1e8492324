import type { Channel } from '../store/monitor-store.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { clockTime } from '../widgets/format.ts';
import { type ChartEvents, LineChart } from '../widgets/line-chart.ts';
import { CHART_SPECS, type ChartSpec } from './chart-specs.ts';
import type { Frame, PageActions, Panel } from './panel.ts';

/** The small charts move once a second: their figures are means of a second. */
const STEP_MS = 1_000;

/** Small charts over the one time axis, all with the same crosshair. */
export class ChartsPanel implements Panel {
  private readonly charts: SmallChart[];
  private readonly jump = el('button', {
    class: 'action fault-jump',
    text: 'Faults of this moment',
    attrs: { type: 'button' },
  });
  private markMs: number | undefined;
  private drawn: { key: string; atMs: number } | undefined;

  constructor(actions: PageActions, events: ChartEvents) {
    const section = byId('panel-charts', HTMLElement);
    this.charts = CHART_SPECS.map((spec) => new SmallChart(section, spec, events));
    this.jump.hidden = true;
    this.jump.addEventListener('click', () => {
      if (this.markMs !== undefined) actions.showFaultAt(this.markMs);
    });
    byId('tabs', HTMLElement).after(this.jump);
  }

  render(frame: Frame): void {
    this.markMs = frame.markMs;
    this.jump.hidden = frame.markMs === undefined;
    const { window, crosshairMs, markMs, palette, service } = frame;
    const key = [
      window.isZoomed ? `${window.fromMs} ${window.toMs}` : window.toMs - window.fromMs,
      crosshairMs,
      markMs,
      palette.text,
      service.endpoint.label,
      globalThis.innerWidth,
    ].join();
    const isMoving = !window.isZoomed && Math.abs(window.toMs - (this.drawn?.atMs ?? 0)) >= STEP_MS;
    if (this.drawn?.key === key && !isMoving) return;
    this.drawn = { key, atMs: window.toMs };
    for (const chart of this.charts) chart.draw(frame);
    for (const chart of this.charts) chart.label(frame);
  }

  dispose(): void {
    for (const chart of this.charts) chart.dispose();
  }
}

class SmallChart {
  private readonly chart: LineChart<Channel>;
  private readonly figures: HTMLElement[];
  private readonly moment = el('span', { class: 'muted legend-moment' });

  constructor(
    section: HTMLElement,
    private readonly spec: ChartSpec,
    events: ChartEvents,
  ) {
    const canvas = el('canvas', {
      attrs: { role: 'img', 'aria-label': `${spec.title} over time`, id: `chart-${spec.id}` },
    });
    const legend = el('p', { class: 'legend' });
    this.figures = spec.curves.map(({ label, dashed }) => {
      const value = el('b', { text: '–' });
      legend.append(
        el(
          'span',
          { class: 'legend-item' },
          el('i', { class: dashed ? 'line line-dashed' : 'line' }),
          `${label} `,
          value,
        ),
      );
      return value;
    });
    const title = el('h2', {}, spec.title, el('span', { class: 'muted chart-unit', text: spec.unit }));
    const head = el('header', { class: 'panel-head' }, title, this.moment, el('p', { class: 'stale-tag' }));
    section.append(
      el(
        'article',
        { class: 'panel chart-panel', attrs: { 'aria-label': spec.title } },
        head,
        el('div', { class: 'chart' }, canvas),
        legend,
      ),
    );
    this.chart = new LineChart(canvas, spec.curves, {
      leastTop: spec.leastTop,
      perUnit: spec.perUnit,
      ...(spec.fixedTop === undefined ? {} : { fixedTop: spec.fixedTop }),
      events,
    });
  }

  draw({ store, window, crosshairMs, markMs, palette }: Frame): void {
    this.chart.draw({ ring: store.history, window, crosshairMs, markMs, palette });
  }

  /** What the legend says at the crosshair, else now. */
  label({ store, window, crosshairMs }: Frame): void {
    const ring = store.history;
    const atMs = crosshairMs ?? window.toMs;
    const withinMs = Math.max(2_000, (window.toMs - window.fromMs) / 60);
    this.spec.curves.forEach(({ channel, text }, index) => {
      const value = this.figures[index];
      if (value !== undefined) setText(value, text(ring.valueAt(channel, atMs, withinMs)));
    });
    setText(this.moment, crosshairMs === undefined ? '' : clockTime(atMs));
  }

  dispose(): void {
    this.chart.dispose();
  }
}
