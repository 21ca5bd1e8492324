import { Chart, Filler, LinearScale, LineController, LineElement, PointElement } from 'chart.js';
import type { Channel, History } from '../store/monitor-store.ts';
import type { Point } from '../store/time-ring.ts';
import type { Palette } from '../theme/palette.ts';
import { clockTime } from './format.ts';
import { CalmScale } from './nice-scale.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, Filler);

const MAX_POINTS = 1_200;
const AXIS_WIDTH_PX = 52;
const TICKS_Y = 4;

export interface Curve {
  channel: Channel;
  /** A dashed line, because colour alone must not tell curves apart. */
  dashed: boolean;
}

interface Hover {
  /** Pixels from the canvas's left edge. */
  x: number;
  atMs: number;
}

/** Curves over a moving window of time, from zero upwards, with a crosshair that the pointer leads. */
export class LineChart {
  /** Set while the pointer is over the chart. */
  hover: Hover | undefined;
  private readonly chart: Chart<'line', Point[]>;
  private readonly pools: Point[][];
  private readonly scale: CalmScale;
  private readonly listeners = new AbortController();
  private endMs = 0;
  private spanMs = 60_000;
  private crosshairColor = '';

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly curves: readonly Curve[],
    private readonly options: { leastTop: number; perUnit: number; onHover: () => void },
  ) {
    this.scale = new CalmScale(options.leastTop);
    this.pools = curves.map(() => Array.from({ length: MAX_POINTS }, () => ({ x: 0, y: 0 })));
    this.chart = this.createChart();
    const { signal } = this.listeners;
    canvas.addEventListener('pointermove', (event) => this.moveTo(event.offsetX), { signal });
    canvas.addEventListener('pointerleave', () => this.moveTo(undefined), { signal });
  }

  /** Draws the window that ends at `endMs`. At most once a frame; never while the page is hidden. */
  draw(history: History, endMs: number, spanMs: number, palette: Palette): void {
    this.endMs = endMs;
    this.spanMs = spanMs;
    let largest = 0;
    this.curves.forEach((curve, index) => {
      const pool = this.pools[index] ?? [];
      const used = history.window(curve.channel, endMs - spanMs, endMs, pool);
      for (const point of pool.slice(0, used)) {
        point.y /= this.options.perUnit;
        if (point.y > largest) largest = point.y;
      }
      const dataset = this.chart.data.datasets[index];
      if (dataset === undefined) return;
      dataset.data = pool.slice(0, used);
      dataset.borderColor = curve.dashed ? palette.second : palette.accent;
      dataset.backgroundColor = palette.accentSoft;
    });
    const { x, y } = this.chart.options.scales ?? {};
    if (x === undefined || y === undefined) return;
    Object.assign(x, { min: endMs - spanMs, max: endMs });
    Object.assign(y, { min: 0, max: this.scale.fit(largest) });
    for (const axis of [x, y]) {
      Object.assign(axis.grid ?? {}, { color: palette.grid });
      Object.assign(axis.ticks ?? {}, { color: palette.muted });
    }
    if (this.hover !== undefined) this.hover.atMs = this.timeAt(this.hover.x);
    this.crosshairColor = palette.text;
    this.chart.update('none');
  }

  dispose(): void {
    this.listeners.abort();
    this.chart.destroy();
  }

  private moveTo(x: number | undefined): void {
    const { left, right } = this.chart.chartArea;
    this.hover = x === undefined || x < left || x > right ? undefined : { x, atMs: this.timeAt(x) };
    this.options.onHover();
  }

  private timeAt(x: number): number {
    return this.chart.scales['x']?.getValueForPixel(x) ?? this.endMs;
  }

  private createChart(): Chart<'line', Point[]> {
    const tickFont = { size: 11, family: getComputedStyle(this.canvas).fontFamily };
    return new Chart<'line', Point[]>(this.canvas, {
      type: 'line',
      data: {
        datasets: this.curves.map((curve) => ({
          data: [],
          borderWidth: 1.5,
          borderDash: curve.dashed ? [5, 3] : [],
          borderJoinStyle: 'round',
          pointRadius: 0,
          fill: curve.dashed ? false : 'origin',
        })),
      },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        layout: { padding: { top: 8, right: 10 } },
        scales: {
          x: {
            type: 'linear',
            border: { display: false },
            grid: { tickLength: 4 },
            ticks: {
              font: tickFont,
              maxRotation: 0,
              align: 'inner',
              callback: (value) => this.timeLabel(Number(value)),
            },
            afterBuildTicks: (axis) => {
              const parts = divisions(this.spanMs);
              axis.ticks = Array.from({ length: parts + 1 }, (_, i) => ({
                value: this.endMs - this.spanMs * (1 - i / parts),
              }));
            },
          },
          y: {
            type: 'linear',
            border: { display: false },
            grid: { tickLength: 0 },
            ticks: { font: tickFont, padding: 8, callback: (value) => shortNumber(Number(value)) },
            afterBuildTicks: (axis) => {
              axis.ticks = Array.from({ length: TICKS_Y + 1 }, (_, i) => ({
                value: (this.scale.top * i) / TICKS_Y,
              }));
            },
            afterFit: (axis) => {
              axis.width = AXIS_WIDTH_PX; // fixed: the plot must not move when figures grow
            },
          },
        },
      },
      plugins: [{ id: 'crosshair', afterDatasetsDraw: (chart) => this.drawCrosshair(chart) }],
    });
  }

  /** Labels count back from now: they stand still while the curve moves. */
  private timeLabel(atMs: number): string {
    const beforeMs = Math.round(this.endMs - atMs);
    if (beforeMs === 0) return clockTime(this.endMs);
    return this.spanMs <= 60_000
      ? `−${Math.round(beforeMs / 1_000)} s`
      : `−${shortNumber(beforeMs / 60_000)} min`;
  }

  private drawCrosshair(chart: Chart): void {
    if (this.hover === undefined) return;
    const { ctx, chartArea } = chart;
    ctx.save();
    ctx.strokeStyle = this.crosshairColor;
    ctx.globalAlpha = 0.6;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(this.hover.x, chartArea.top);
    ctx.lineTo(this.hover.x, chartArea.bottom);
    ctx.stroke();
    ctx.restore();
  }
}

/** Six parts where that gives whole tens (1 min, 1 h), else five (5 min, 15 min). */
const divisions = (spanMs: number) => (spanMs === 60_000 || spanMs % 360_000 === 0 ? 6 : 5);

const shortNumber = (value: number) => String(Number(value.toPrecision(3)));
