import type { Services } from '../services.ts';
import type { Channel } from '../store/monitor-store.ts';
import { SERIES } from '../theme/palette.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { clockTime, megabytes } from '../widgets/format.ts';
import { type ChartEvents, LineChart } from '../widgets/line-chart.ts';
import type { Frame, Panel } from './panel.ts';

/** CSS pixels on and off, one a service: its curve is known without its colour. */
const DASHES: readonly (readonly number[])[] = [
  [],
  [6, 3],
  [2, 2],
  [8, 2, 2, 2],
  [12, 4],
  [4, 4],
  [10, 2, 2, 2, 2, 2],
  [1, 3],
];

/** Throughput in of all watched services on one scale; there where there is more than one. */
export class ServicesChartPanel implements Panel {
  private readonly chart: LineChart<Channel> | undefined;
  private readonly figures: HTMLElement[];
  private readonly moment = el('span', { class: 'legend-moment' });

  constructor(
    private readonly services: Services,
    events: ChartEvents,
  ) {
    const { list } = services;
    const isShown = list.length > 1;
    document.body.dataset['services'] = isShown ? 'several' : 'one';
    byId('panel-services', HTMLElement).hidden = !isShown;
    const legend = byId('services-legend', HTMLElement);
    this.figures = list.map(({ endpoint }, index) => {
      const value = el('b', { text: '–' });
      legend.append(
        el('span', { class: 'legend-item' }, sample(index), `${endpoint.label} `, value, ' MB/s'),
      );
      return value;
    });
    legend.append(this.moment);
    if (!isShown) return;
    const curves = list.map((_, index) => ({
      channel: 'inBytesPerSec' as const,
      dashed: false,
      line: {
        color: ({ series, accent }: Frame['palette']) => series[index % SERIES] ?? accent,
        dash: DASHES[index % SERIES] ?? [],
      },
    }));
    const options = { leastTop: 1, perUnit: 1e6, events };
    this.chart = new LineChart(byId('services-chart', HTMLCanvasElement), curves, options);
  }

  render({ store, window, crosshairMs, markMs, palette }: Frame): void {
    const rings = this.services.list.map((service) => service.store.history);
    this.chart?.draw({ ring: store.history, rings, window, crosshairMs, markMs, palette });
    const atMs = crosshairMs ?? window.toMs;
    const withinMs = Math.max(2_000, (window.toMs - window.fromMs) / 60);
    rings.forEach((ring, index) => {
      const figure = this.figures[index];
      if (figure !== undefined) setText(figure, megabytes(ring.valueAt('inBytesPerSec', atMs, withinMs)));
    });
    setText(this.moment, crosshairMs === undefined ? '' : `at ${clockTime(atMs)}`);
  }

  dispose(): void {
    this.chart?.dispose();
  }
}

/** A piece of the service's line for the legend. */
function sample(index: number): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', 'M0 4h26');
  line.setAttribute('stroke-dasharray', (DASHES[index % SERIES] ?? []).join(' '));
  line.setAttribute('stroke', `var(--series-${(index % SERIES) + 1})`);
  svg.append(line);
  return svg;
}
