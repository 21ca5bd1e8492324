export const RANGES = [
  { spanMs: 30_000, label: '30 s' },
  { spanMs: 60_000, label: '1 min' },
  { spanMs: 300_000, label: '5 min' },
  { spanMs: 900_000, label: '15 min' },
  { spanMs: 3_600_000, label: '1 h' },
] as const;
const DEFAULT_SPAN_MS = RANGES[1].spanMs;
const MIN_ZOOM_MS = 2_000;

/** What all charts show: a stretch of time that ends now, or a fixed one that someone zoomed into. */
export interface TimeWindow {
  fromMs: number;
  toMs: number;
  isZoomed: boolean;
}

/** The one time axis of the page. */
export class TimeRange {
  spanMs: number = DEFAULT_SPAN_MS;
  private zoom: { fromMs: number; toMs: number } | undefined;

  get isZoomed(): boolean {
    return this.zoom !== undefined;
  }

  /** @param nowMs where a window that follows the present ends */
  window(nowMs: number): TimeWindow {
    if (this.zoom !== undefined) return { ...this.zoom, isZoomed: true };
    return { fromMs: nowMs - this.spanMs, toMs: nowMs, isZoomed: false };
  }

  /** Follows the present again, over this much time. */
  setSpan(spanMs: number): void {
    this.spanMs = spanMs;
    this.zoom = undefined;
  }

  /** The next shorter (−1) or longer (+1) range. */
  step(step: 1 | -1): void {
    const index = RANGES.findIndex(({ spanMs }) => spanMs === this.spanMs) + step;
    const range = RANGES[index];
    if (range !== undefined) this.setSpan(range.spanMs);
  }

  zoomTo(oneMs: number, otherMs: number): void {
    const fromMs = Math.min(oneMs, otherMs);
    const toMs = Math.max(oneMs, otherMs);
    const missing = Math.max(0, MIN_ZOOM_MS - (toMs - fromMs)) / 2;
    this.zoom = { fromMs: fromMs - missing, toMs: toMs + missing };
  }

  reset(): void {
    this.zoom = undefined;
  }
}
