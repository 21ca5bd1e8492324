import type { Channel, History } from '../store/monitor-store.ts';
import type { Point } from '../store/time-ring.ts';
import type { Palette } from '../theme/palette.ts';

export const SPARK_SPAN_MS = 60_000;
const MAX_POINTS = 256;

export interface SparkSpec {
  channel: Channel;
  /** The value that fills the height at least; keeps noise around zero flat. */
  leastTop: number;
  /** A flow is filled down to zero; a level is a line only. */
  isLevel?: boolean;
}

/** The last minute of one figure as a small curve without axes; always from zero, so that height means amount. */
export class Sparkline {
  private readonly points: Point[] = Array.from({ length: MAX_POINTS }, () => ({ x: 0, y: 0 }));
  private readonly observer: ResizeObserver;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly spec: SparkSpec,
  ) {
    this.observer = new ResizeObserver(() => this.fitCanvas());
    this.observer.observe(canvas);
    this.fitCanvas();
  }

  draw(history: History, endMs: number, palette: Palette): void {
    const context = this.canvas.getContext('2d');
    if (context === null) return;
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    const used = history.window(this.spec.channel, endMs - SPARK_SPAN_MS, endMs, this.points);
    let top = this.spec.leastTop;
    for (let i = 0; i < used; i++) top = Math.max(top, this.points[i]?.y || 0);
    const line = Math.max(1, Math.round(devicePixelRatio));
    const x = (point: Point) => ((point.x - endMs + SPARK_SPAN_MS) / SPARK_SPAN_MS) * width;
    const y = (point: Point) => height - line - (point.y / top) * (height - 3 * line);
    context.lineWidth = 1.25 * line;
    context.lineJoin = 'round';
    context.strokeStyle = palette.accent;
    context.fillStyle = palette.accentSoft;
    for (const run of this.runs(used)) {
      const first = run[0];
      const last = run.at(-1);
      if (first === undefined || last === undefined) continue;
      const path = new Path2D();
      path.moveTo(x(first), y(first));
      for (const point of run) path.lineTo(x(point), y(point));
      context.stroke(path);
      if (this.spec.isLevel === true) continue;
      const area = new Path2D(path);
      area.lineTo(x(last), height);
      area.lineTo(x(first), height);
      context.fill(area);
    }
  }

  dispose(): void {
    this.observer.disconnect();
  }

  /** Stretches of known values. */
  private *runs(used: number): Generator<Point[]> {
    let run: Point[] = [];
    for (let i = 0; i < used; i++) {
      const point = this.points[i];
      if (point !== undefined && !Number.isNaN(point.y)) run.push(point);
      else if (run.length > 0) {
        yield run;
        run = [];
      }
    }
    if (run.length > 0) yield run;
  }

  private fitCanvas(): void {
    const { clientWidth, clientHeight } = this.canvas;
    const width = Math.round(clientWidth * devicePixelRatio);
    const height = Math.round(clientHeight * devicePixelRatio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }
}
