import type { ConnectionState } from '../connection/state.ts';
import type { MonitorStore, Reading } from '../store/monitor-store.ts';
import type { Palette } from '../theme/palette.ts';

/** What all panels draw in one frame. While the page is paused, it stays at the moment of the pause. */
export interface Frame {
  nowMs: number;
  store: MonitorStore;
  /** Undefined until the first snapshot came. */
  reading: Reading | undefined;
  /** Where the fault log ended at that moment. */
  faultPosition: number;
  spanMs: number;
  palette: Palette;
  connection: ConnectionState;
  /** When the page last heard from the service, by the page's own clock. */
  lastDataAtMs: number | undefined;
  pause: { newReadings: number; newFaults: number } | undefined;
}

/** One part of the page. It owns the elements that it was given and whatever it puts into them. */
export interface Panel {
  /** Draws new data or a changed view; at most once a frame, never while the page is hidden. */
  render(frame: Frame): void;
  /** Draws what only the passing of time changes, twice a second. */
  tick?(frame: Frame): void;
  dispose?(): void;
}
