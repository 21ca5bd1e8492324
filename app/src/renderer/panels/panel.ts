import type { ConnectionState } from '../connection/state.ts';
import type { Service } from '../services.ts';
import type { MonitorStore, Reading } from '../store/monitor-store.ts';
import type { TimeWindow } from '../store/time-range.ts';
import type { Palette } from '../theme/palette.ts';

/** What all panels draw in one frame. While the page is paused, it stays at the moment of the pause. */
export interface Frame {
  nowMs: number;
  service: Service;
  store: MonitorStore;
  /** Undefined until the first snapshot came. */
  reading: Reading | undefined;
  /** Where the fault log ended at that moment. */
  faultPosition: number;
  /** The one time axis of all charts. */
  window: TimeWindow;
  crosshairMs: number | undefined;
  markMs: number | undefined;
  palette: Palette;
  connection: ConnectionState;
  /** When the page last heard from the service, by the page's own clock. */
  lastDataAtMs: number | undefined;
  pause: { newReadings: number; newFaults: number } | undefined;
}

/** One part of the page. It owns the elements that it was given and whatever it puts into them. */
export interface Panel {
  /** Draws new data or a changed view; at most once a frame, never while the page or the panel is hidden. */
  render(frame: Frame): void;
  /** Draws what only the passing of time changes, twice a second. */
  tick?(frame: Frame): void;
  dispose?(): void;
}

/** Takes a person to another part of the page. */
export interface PageActions {
  /** Draws all panels in the next frame. */
  invalidate(): void;
  /** Opens the dialog that asks for the admin token. */
  askToken(): void;
  showQueue(id: string): void;
  /** Shows the charts around a moment, with a mark on it. */
  showMoment(atMs: number): void;
  /** Shows the fault log at the fault next to a moment. */
  showFaultAt(atMs: number): void;
}
