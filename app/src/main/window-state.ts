import type { TextFile } from './token-store.ts';

/** Where a window was, in device-independent pixels. */
export interface Bounds {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface WindowState {
  bounds: Bounds;
  isMaximized: boolean;
}

const MIN_WIDTH = 1024;
const MIN_HEIGHT = 640;
/** So much of the title bar must be on some screen, or the window could not be moved. */
const VISIBLE_PX = 80;

/** The state that was kept, if it is one and lies on a screen that is still there. */
export async function loadWindowState(
  file: TextFile,
  screens: readonly Bounds[],
): Promise<WindowState | undefined> {
  try {
    const state: unknown = JSON.parse((await file.read()) ?? '');
    return isState(state) && screens.some((screen) => isReachable(state.bounds, screen)) ? state : undefined;
  } catch {
    return undefined;
  }
}

export const saveWindowState = (file: TextFile, state: WindowState): Promise<void> =>
  file.write(JSON.stringify(state));

function isState(value: unknown): value is WindowState {
  if (typeof value !== 'object' || value === null || !('bounds' in value) || !('isMaximized' in value))
    return false;
  const { bounds, isMaximized } = value;
  if (typeof bounds !== 'object' || bounds === null || typeof isMaximized !== 'boolean') return false;
  const numbers = ['x', 'y', 'width', 'height'].map((name): unknown => Reflect.get(bounds, name));
  const [, , width, height] = numbers;
  return numbers.every(Number.isInteger) && Number(width) >= MIN_WIDTH && Number(height) >= MIN_HEIGHT;
}

const isReachable = (window: Bounds, screen: Bounds): boolean =>
  window.x + window.width >= screen.x + VISIBLE_PX &&
  window.x <= screen.x + screen.width - VISIBLE_PX &&
  window.y >= screen.y &&
  window.y <= screen.y + screen.height - VISIBLE_PX;
