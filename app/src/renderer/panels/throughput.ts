import type { Channel } from '../store/monitor-store.ts';
import type { Palette } from '../theme/palette.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { clockTime, megabytes } from '../widgets/format.ts';
import { type ChartEvents, LineChart } from '../widgets/line-chart.ts';
import type { Frame, Panel } from './panel.ts';

const CURVES = [
  { channel: 'inBytesPerSec', dashed: false, label: 'in' },
  { channel: 'outBytesPerSec', dashed: true, label: 'out' },
  {
    channel: 'attachedInBytesPerSec',
    dashed: true,
    label: 'of in: attached processes',
    line: { color: (palette: Palette) => palette.muted, dash: [1, 3] },
  },
] as const;

/** Bytes per second into and out of service and device, and the part of attached processes; the legend's figures follow the crosshair. */
export class ThroughputPanel implements Panel {
  private readonly chart: LineChart<Channel>;
  private readonly moment = el('span', { class: 'legend-moment' });
  private readonly figures: HTMLElement[];

  constructor(events: ChartEvents) {
    this.chart = new LineChart(byId('throughput', HTMLCanvasElement), CURVES, {
      leastTop: 1,
      perUnit: 1e6,
      events,
    });
    const legend = byId('legend', HTMLElement);
    this.figures = CURVES.map(({ label, dashed, ...curve }) => {
      const value = el('b', { text: '–' });
      const line = el('i', {
        class: 'line' in curve ? 'line line-dotted' : dashed ? 'line line-dashed' : 'line',
      });
      legend.append(el('span', { class: 'legend-item' }, line, `${label} `, value, ' MB/s'));
      return value;
    });
    legend.append(this.moment);
  }

  render(frame: Frame): void {
    const { store, window, crosshairMs, markMs, palette } = frame;
    const ring = store.history;
    this.chart.draw({ ring, window, crosshairMs, markMs, palette });
    const atMs = crosshairMs ?? window.toMs;
    const withinMs = Math.max(2_000, (window.toMs - window.fromMs) / 60);
    CURVES.forEach(({ channel }, index) => {
      const value = this.figures[index];
      if (value !== undefined) setText(value, megabytes(ring.valueAt(channel, atMs, withinMs)));
    });
    setText(this.moment, crosshairMs === undefined ? '' : `at ${clockTime(atMs)}`);
  }

  dispose(): void {
    this.chart.dispose();
  }
}
