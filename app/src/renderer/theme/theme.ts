import { type Palette, readPalette } from './palette.ts';

export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];
const STORAGE_KEY = 'warpdrive.theme';

/** The page's theme: chosen by the user and remembered, or the system's. */
export class ThemeSwitch {
  current: Theme;
  palette: Palette;
  private readonly systemIsDark = matchMedia('(prefers-color-scheme: dark)');
  private readonly refresh = () => {
    this.palette = readPalette();
    this.onChange();
  };

  constructor(private readonly onChange: () => void) {
    this.current = rememberedTheme();
    document.documentElement.dataset['theme'] = this.current;
    this.palette = readPalette();
    this.systemIsDark.addEventListener('change', this.refresh);
  }

  /** system → dark → light → system */
  next(): void {
    this.current = THEMES[(THEMES.indexOf(this.current) + 1) % THEMES.length] ?? 'system';
    document.documentElement.dataset['theme'] = this.current;
    remember(this.current);
    this.refresh();
  }

  dispose(): void {
    this.systemIsDark.removeEventListener('change', this.refresh);
  }
}

// Storage is refused where cookies are blocked; the theme then lasts as long as the page.
function rememberedTheme(): Theme {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    return THEMES.find((theme) => theme === stored) ?? 'system';
  } catch {
    return 'system';
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(STORAGE_KEY, theme);
  } catch {
    // see above
  }
}
