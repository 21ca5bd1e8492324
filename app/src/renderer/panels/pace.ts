import type { Frame } from './panel.ts';

/** Rates are means of a second, so a table or a small chart that is drawn more often mostly repeats itself. */
const STEP_MS = 1_000;
/** A reading may come a little early. */
const SLACK_MS = 60;

/** Tells a panel when to draw: once a second, and at once when a person or the service changed what it shows. */
export class Pace {
  private key = '';
  private atMs = Number.NEGATIVE_INFINITY;

  /** @param asked what else the drawing depends on: a filter, the row that was chosen */
  isDue(
    { window, reading, crosshairMs, markMs, palette, service, pause, connection }: Frame,
    asked = '',
  ): boolean {
    const key = [
      window.isZoomed ? `${window.fromMs} ${window.toMs}` : window.toMs - window.fromMs,
      crosshairMs,
      markMs,
      palette.text,
      service.endpoint.label,
      pause === undefined,
      connection.kind,
      asked,
    ].join();
    const atMs = reading?.atMs ?? 0;
    if (key === this.key && Math.abs(atMs - this.atMs) < STEP_MS - SLACK_MS) return false;
    this.key = key;
    this.atMs = atMs;
    return true;
  }

  /** The next frame is drawn. */
  reset(): void {
    this.atMs = Number.NEGATIVE_INFINITY;
  }
}
