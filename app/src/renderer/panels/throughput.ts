import { byId, el, setAttribute, setText } from '../widgets/dom.ts';
import { clockTime, megabytes } from '../widgets/format.ts';
import { LineChart } from '../widgets/line-chart.ts';
import type { Frame, Panel } from './panel.ts';

export const RANGES = [
  { spanMs: 60_000, label: '1 min' },
  { spanMs: 300_000, label: '5 min' },
  { spanMs: 900_000, label: '15 min' },
  { spanMs: 3_600_000, label: '1 h' },
] as const;
export const DEFAULT_SPAN_MS = RANGES[0].spanMs;

const CURVES = [
  { channel: 'inBytesPerSec', dashed: false, label: 'in' },
  { channel: 'outBytesPerSec', dashed: true, label: 'out' },
] as const;

/** Bytes per second into and out of the service; the legend's figures follow the crosshair. */
export class ThroughputPanel implements Panel {
  private readonly chart: LineChart;
  private readonly moment = el('span', { class: 'legend-moment' });
  private readonly figures: HTMLElement[];
  private readonly buttons: HTMLButtonElement[];

  constructor(onChange: () => void, onRange: (spanMs: number) => void) {
    this.chart = new LineChart(byId('throughput', HTMLCanvasElement), CURVES, {
      leastTop: 1,
      perUnit: 1e6,
      onHover: onChange,
    });
    const legend = byId('legend', HTMLElement);
    this.figures = CURVES.map(({ label, dashed }) => {
      const value = el('b', { text: '–' });
      const line = el('i', { class: dashed ? 'line line-dashed' : 'line' });
      legend.append(el('span', { class: 'legend-item' }, line, `${label} `, value, ' MB/s'));
      return value;
    });
    legend.append(this.moment);
    this.buttons = RANGES.map(({ spanMs, label }) => {
      const button = el('button', { class: 'range', text: label, attrs: { type: 'button' } });
      button.addEventListener('click', () => onRange(spanMs));
      return button;
    });
    byId('ranges', HTMLElement).append(...this.buttons);
  }

  render(frame: Frame): void {
    const { reading, store, spanMs } = frame;
    RANGES.forEach((range, index) => {
      const button = this.buttons[index];
      if (button !== undefined) setAttribute(button, 'aria-pressed', String(range.spanMs === spanMs));
    });
    this.chart.draw(store.history, reading?.atMs ?? frame.nowMs, spanMs, frame.palette);
    const { hover } = this.chart;
    const atMs = hover?.atMs ?? reading?.atMs ?? frame.nowMs;
    CURVES.forEach(({ channel }, index) => {
      const value = this.figures[index];
      if (value !== undefined) setText(value, megabytes(store.history.valueAt(channel, atMs, spanMs / 60)));
    });
    setText(this.moment, hover === undefined ? '' : `at ${clockTime(atMs)}`);
  }

  dispose(): void {
    this.chart.dispose();
  }
}
