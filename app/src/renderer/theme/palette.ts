/** The colours of style.css that canvases need; a canvas cannot read a CSS variable by itself. */
export interface Palette {
  accent: string;
  accentSoft: string;
  second: string;
  text: string;
  muted: string;
  grid: string;
  warn: string;
  panel: string;
  /** One a service, where several are in one chart. */
  series: readonly string[];
}

export const SERIES = 8;

/** Reads the colours of the theme now in force. */
export function readPalette(): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const resolve = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    accent: resolve('accent'),
    accentSoft: resolve('accent-soft'),
    second: resolve('second'),
    text: resolve('text'),
    muted: resolve('muted'),
    grid: resolve('grid'),
    warn: resolve('warn'),
    panel: resolve('panel'),
    series: Array.from({ length: SERIES }, (_, index) => resolve(`series-${index + 1}`)),
  };
  probe.remove();
  return palette;
}
