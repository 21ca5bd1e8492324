import type { Point, TimeRing } from '../store/time-ring.ts';
import type { Palette } from '../theme/palette.ts';

export const SPAN_MS = 60_000;
const WIDTH_PX = 62;
const HEIGHT_PX = 18;
/** Histories have one reading a second. */
const MAX_POINTS = 64;

interface Drawing<Channel extends string> {
  channel: Channel;
  /** The value that fills the height at least; keeps noise around zero flat. */
  leastTop: number;
}

/**
 * The last minute of one figure of a table row: one path on a small canvas, drawn again only when there is a new
 * reading. Its height is the row's own largest value.
 */
export class RowSparkline<Channel extends string> {
  readonly canvas = document.createElement('canvas');
  private readonly points: Point[] = Array.from({ length: MAX_POINTS }, () => ({ x: 0, y: 0 }));
  private drawn = '';

  constructor(private readonly drawing: Drawing<Channel>) {
    this.canvas.setAttribute('aria-hidden', 'true');
  }

  draw(ring: TimeRing<Channel> | undefined, endMs: number, palette: Palette): void {
    const scale = devicePixelRatio;
    // a second's step: less would draw the same picture
    const key = `${ring === undefined ? '' : Math.floor(endMs / 1_000)} ${palette.accent} ${scale}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const context = this.cleared(scale);
    if (context === null || ring === undefined) return;
    const used = ring.window(this.drawing.channel, endMs - SPAN_MS, endMs, this.points);
    let top = this.drawing.leastTop;
    for (let i = 0; i < used; i++) top = Math.max(top, this.points[i]?.y || 0);
    context.lineWidth = 1.25;
    context.lineJoin = 'round';
    context.strokeStyle = palette.accent;
    let isDown = false;
    context.beginPath();
    for (let i = 0; i < used; i++) {
      const { x, y } = this.points[i] ?? { x: 0, y: Number.NaN };
      const atX = ((x - endMs + SPAN_MS) / SPAN_MS) * WIDTH_PX;
      const atY = HEIGHT_PX - 1 - (y / top) * (HEIGHT_PX - 3);
      if (isDown) context.lineTo(atX, atY);
      else context.moveTo(atX, atY);
      isDown = !Number.isNaN(y);
    }
    context.stroke();
  }

  /** The canvas without a curve, in CSS pixels. A new size is set only where there is one: it throws the buffer away. */
  private cleared(scale: number): CanvasRenderingContext2D | null {
    const { canvas } = this;
    const context = canvas.getContext('2d');
    const width = Math.round(WIDTH_PX * scale);
    if (canvas.width !== width) {
      canvas.width = width;
      canvas.height = Math.round(HEIGHT_PX * scale);
    }
    context?.setTransform(scale, 0, 0, scale, 0, 0);
    context?.clearRect(0, 0, WIDTH_PX, HEIGHT_PX);
    return context;
  }
}
