import type { Channel } from '../store/monitor-store.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { clockTime } from '../widgets/format.ts';
import { type ChartEvents, LineChart } from '../widgets/line-chart.ts';
import { CHART_SPECS, type ChartSpec } from './chart-specs.ts';
import { Pace } from './pace.ts';
import type { Frame, PageActions, Panel } from './panel.ts';

/** Small charts over the one time axis, all with the same crosshair. */
export class ChartsPanel implements Panel {
  private readonly charts: SmallChart[];
  private readonly jump = el('button', {
    class: 'action fault-jump',
    text: 'Faults of this moment',
    attrs: { type: 'button' },
  });
  private markMs: number | undefined;
  private readonly pace = new Pace();
  private readonly observer: IntersectionObserver;

  constructor(actions: PageActions, events: ChartEvents) {
    const section = byId('panel-charts', HTMLElement);
    this.charts = CHART_SPECS.map((spec) => new SmallChart(section, spec, events));
    // where all panels are shown, most charts are below the window
    this.observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const chart = this.charts.find(({ root }) => root === target);
        if (chart !== undefined) chart.isInSight = isIntersecting;
      }
      this.pace.reset();
      actions.invalidate();
    });
    for (const { root } of this.charts) this.observer.observe(root);
    this.jump.hidden = true;
    this.jump.addEventListener('click', () => {
      if (this.markMs !== undefined) actions.showFaultAt(this.markMs);
    });
    byId('tabs', HTMLElement).after(this.jump);
  }

  render(frame: Frame): void {
    this.markMs = frame.markMs;
    this.jump.hidden = frame.markMs === undefined;
    if (!this.pace.isDue(frame, String(globalThis.innerWidth))) return;
    const charts = this.charts.filter(({ isInSight }) => isInSight);
    for (const chart of charts) chart.draw(frame);
    for (const chart of charts) chart.label(frame);
  }

  dispose(): void {
    this.observer.disconnect();
    for (const chart of this.charts) chart.dispose();
  }
}

class SmallChart {
  readonly root: HTMLElement;
  isInSight = true;
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
    this.root = el(
      'article',
      { class: 'panel chart-panel', attrs: { 'aria-label': spec.title } },
      head,
      el('div', { class: 'chart' }, canvas),
      legend,
    );
    section.append(this.root);
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
