import { Chart, Filler, LinearScale, LineController, LineElement, PointElement } from 'chart.js';
import type { TimeWindow } from '../store/time-range.ts';
import type { Point, TimeRing } from '../store/time-ring.ts';
import type { Palette } from '../theme/palette.ts';
import { drawAxes, drawCrosshair, drawMark, drawSelection } from './chart-overlay.ts';
import { clockTime } from './format.ts';
import { CalmScale } from './nice-scale.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, Filler);

const MAX_POINTS = 1_200;
const AXIS_WIDTH_PX = 52;
/** Below the plot, for the times. */
const TIMES_HEIGHT_PX = 24;
const TICKS_Y = 4;
/** A lower chart has fewer lines. */
const LOW_PX = 160;
/** A shorter drag is a click. */
const MIN_DRAG_PX = 6;

export interface Curve<Channel extends string> {
  channel: Channel;
  /** A dashed line, because colour alone must not tell curves apart. */
  dashed: boolean;
  /** For charts of more than two curves: its colour, and its own dashes in CSS pixels. Not filled. */
  line?: { color: (palette: Palette) => string; dash: readonly number[] };
}

/** What the pointer asks of all charts at once; times are Unix ms. */
export interface ChartEvents {
  /** Undefined: the pointer left. */
  onHover(atMs: number | undefined): void;
  onZoom(fromMs: number, toMs: number): void;
  onReset(): void;
}

interface LineChartOptions {
  leastTop: number;
  /** Figures are divided by this before they are drawn. */
  perUnit: number;
  /** Upper end of the scale where one is natural, such as 100 for percent. */
  fixedTop?: number;
  events: ChartEvents;
}

/** What a drawing of a chart is made of. */
export interface ChartView<Channel extends string> {
  ring: TimeRing<Channel>;
  /** A ring for each curve, where they are not of one service. */
  rings?: readonly TimeRing<Channel>[];
  window: TimeWindow;
  /** Where the pointer is, on whichever chart. */
  crosshairMs: number | undefined;
  /** The moment of a fault that someone jumped to. */
  markMs: number | undefined;
  palette: Palette;
}

/** Curves over a window of time, from zero upwards, with a crosshair that all charts share. */
export class LineChart<Channel extends string> {
  private readonly chart: Chart<'line', Point[]>;
  private readonly pools: Point[][];
  private readonly scale: CalmScale;
  private readonly font: string;
  private readonly listeners = new AbortController();
  private view: ChartView<Channel> | undefined;
  private dragFromX: number | undefined;
  private pointerX: number | undefined;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly curves: readonly Curve<Channel>[],
    private readonly options: LineChartOptions,
  ) {
    this.scale = new CalmScale(options.leastTop);
    this.pools = curves.map(() => Array.from({ length: MAX_POINTS }, () => ({ x: 0, y: 0 })));
    this.font = `11px ${getComputedStyle(canvas).fontFamily}`;
    this.chart = this.createChart();
    this.listen();
  }

  /** At most once a frame; never while the page is hidden. */
  draw(view: ChartView<Channel>): void {
    this.view = view;
    const { window } = view;
    const largest = this.fillCurves(view);
    const { x, y } = this.chart.options.scales ?? {};
    if (x === undefined || y === undefined) return;
    Object.assign(x, { min: window.fromMs, max: window.toMs });
    Object.assign(y, { min: 0, max: this.options.fixedTop ?? this.scale.fit(largest) });
    this.chart.update('none');
  }

  dispose(): void {
    this.listeners.abort();
    this.chart.destroy();
  }

  private fillCurves({ ring, rings, window, palette }: ChartView<Channel>): number {
    let largest = 0;
    this.curves.forEach((curve, index) => {
      const pool = this.pools[index] ?? [];
      const points = Math.min(MAX_POINTS, Math.max(64, this.chart.width));
      const { fromMs, toMs } = window;
      const used = (rings?.[index] ?? ring).window(curve.channel, fromMs, toMs, pool, points);
      const dataset = this.chart.data.datasets[index];
      if (dataset === undefined) return;
      const data = dataset.data;
      data.length = used;
      for (let i = 0; i < used; i++) {
        const point = pool[i];
        if (point === undefined) continue;
        point.y /= this.options.perUnit;
        if (point.y > largest) largest = point.y;
        data[i] = point;
      }
      dataset.borderColor = curve.line?.color(palette) ?? (curve.dashed ? palette.second : palette.accent);
      dataset.backgroundColor = palette.accentSoft;
    });
    return largest;
  }

  private listen(): void {
    const { canvas } = this;
    const { events } = this.options;
    const { signal } = this.listeners;
    canvas.addEventListener(
      'pointermove',
      (event) => {
        this.pointerX = event.offsetX;
        events.onHover(this.timeWithin(event.offsetX));
      },
      { signal },
    );
    canvas.addEventListener('pointerleave', () => events.onHover(undefined), { signal });
    canvas.addEventListener(
      'pointerdown',
      (event) => {
        if (event.button !== 0) return;
        this.dragFromX = this.pointerX = event.offsetX;
        canvas.setPointerCapture(event.pointerId);
      },
      { signal },
    );
    canvas.addEventListener(
      'pointerup',
      (event) => {
        const from = this.dragFromX;
        this.dragFromX = undefined;
        if (from === undefined || Math.abs(event.offsetX - from) < MIN_DRAG_PX) return;
        events.onZoom(this.timeAt(from), this.timeAt(event.offsetX));
      },
      { signal },
    );
    canvas.addEventListener('pointercancel', () => (this.dragFromX = undefined), { signal });
    canvas.addEventListener('dblclick', () => events.onReset(), { signal });
  }

  private timeWithin(x: number): number | undefined {
    const { left, right } = this.chart.chartArea;
    return x < left || x > right ? undefined : this.timeAt(x);
  }

  private timeAt(x: number): number {
    const { window } = this.view ?? {};
    const atMs = this.chart.scales['x']?.getValueForPixel(x) ?? window?.toMs ?? 0;
    return window === undefined ? atMs : Math.min(window.toMs, Math.max(window.fromMs, atMs));
  }

  private createChart(): Chart<'line', Point[]> {
    return new Chart<'line', Point[]>(this.canvas, {
      type: 'line',
      data: {
        datasets: this.curves.map((curve) => ({
          data: [],
          borderWidth: 1.5,
          borderDash: [...(curve.line?.dash ?? (curve.dashed ? [5, 3] : []))],
          borderJoinStyle: 'round',
          pointRadius: 0,
          fill: curve.dashed || curve.line !== undefined ? false : 'origin',
        })),
      },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        // the axes are drawn by drawAxes: Chart.js would measure every label with every reading
        layout: { padding: { top: 8, right: 10, bottom: TIMES_HEIGHT_PX, left: AXIS_WIDTH_PX } },
        scales: { x: { type: 'linear', display: false }, y: { type: 'linear', display: false } },
      },
      plugins: [
        {
          id: 'overlay',
          beforeDatasetsDraw: (chart) => this.drawAxes(chart),
          afterDatasetsDraw: (chart) => this.drawOverlay(chart),
        },
      ],
    });
  }

  private drawAxes(chart: Chart): void {
    const { view } = this;
    if (view === undefined) return;
    const { fromMs, toMs } = view.window;
    const top = this.options.fixedTop ?? this.scale.top;
    const parts = chart.height < LOW_PX ? 2 : TICKS_Y;
    const times = this.timeTicks(chart.chartArea.right - chart.chartArea.left);
    drawAxes(chart, view.palette, this.font, {
      levels: Array.from({ length: parts + 1 }, (_, i) => ({
        at: i / parts,
        label: shortNumber((top * i) / parts),
      })),
      times: times.map((atMs) => ({ at: (atMs - fromMs) / (toMs - fromMs), label: this.timeLabel(atMs) })),
    });
  }

  private timeTicks(widthPx: number): number[] {
    const { fromMs, toMs } = this.view?.window ?? { fromMs: 0, toMs: 1 };
    const parts = widthPx > 0 && widthPx < 420 ? 3 : divisions(toMs - fromMs);
    return Array.from({ length: parts + 1 }, (_, i) => toMs - (toMs - fromMs) * (1 - i / parts));
  }

  /** Labels of a window that follows the present count back from now: they stand still while the curve moves. */
  private timeLabel(atMs: number): string {
    const { window } = this.view ?? {};
    if (window === undefined || window.isZoomed) return clockTime(atMs);
    const beforeMs = Math.round(window.toMs - atMs);
    if (beforeMs === 0) return clockTime(window.toMs);
    return window.toMs - window.fromMs <= 60_000
      ? `−${Math.round(beforeMs / 1_000)} s`
      : `−${shortNumber(beforeMs / 60_000)} min`;
  }

  private drawOverlay(chart: Chart): void {
    const { view } = this;
    const scale = chart.scales['x'];
    if (view === undefined || scale === undefined) return;
    const at = (ms: number) => scale.getPixelForValue(ms);
    if (this.dragFromX !== undefined && this.pointerX !== undefined)
      drawSelection(chart, this.dragFromX, this.pointerX, view.palette.accentSoft);
    if (view.markMs !== undefined) drawMark(chart, at(view.markMs), view.palette.warn);
    if (view.crosshairMs !== undefined) drawCrosshair(chart, at(view.crosshairMs), view.palette.text);
  }
}

/** Six parts where that gives whole tens (1 min, 1 h), else five (5 min, 15 min). */
const divisions = (spanMs: number) => (spanMs <= 60_000 || spanMs % 360_000 === 0 ? 6 : 5);

const shortNumber = (value: number) => String(Number(value.toPrecision(3)));
