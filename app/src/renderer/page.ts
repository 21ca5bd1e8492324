import type { AppBridge } from '../contract/ipc.ts';
import { AlarmWatch } from './alarms/alarm-watch.ts';
import type { Shortcut } from './keyboard.ts';
import type { Frame, PageActions, Panel } from './panels/panel.ts';
import { createPanels, type Panels } from './panels/panels.ts';
import type { Service, Services } from './services.ts';
import type { Reading } from './store/monitor-store.ts';
import { TimeRange } from './store/time-range.ts';
import { ThemeSwitch } from './theme/theme.ts';
import type { Clock } from './timing.ts';
import { isView, VIEWS, type View } from './views.ts';
import { byId, setText } from './widgets/dom.ts';

const TICK_MS = 500;
/** How long readings wait for the next drawing; `+` and `−` choose. Rates are means of a second, so half of one will do. */
const INTERVALS_MS = [0, 500, 1_000, 2_000] as const;
/** Faults and changes of state are drawn sooner, but a flood of them not with each frame. */
const NEWS_MS = 100;
/** A reading may come a little early. */
const SLACK_MS = 60;
const MARK_SPAN_MS = 30_000;

interface Pause {
  reading: Reading;
  faultPosition: number;
  readings: number;
}

interface PageDeps {
  clock: Clock;
  services: Services;
  app: AppBridge | undefined;
}

/** The whole page: draws the panels in sight from the store, at most once a frame and never while hidden. */
export class Page implements PageActions {
  readonly shortcuts: readonly Shortcut[];
  private readonly theme = new ThemeSwitch(() => this.invalidate());
  private readonly range = new TimeRange();
  private readonly alarms: AlarmWatch;
  private readonly panels: Panels;
  private view: View = 'overview';
  private pause: Pause | undefined;
  private crosshairMs: number | undefined;
  private markMs: number | undefined;
  private interval = 1;
  private isWaiting = false;
  private lastDrawnMs = 0;
  private isDue = false;
  /** Ids of the elements that are scrolled out of the window, which happens where all panels are shown. */
  private readonly scrolledOut = new Set<string>();
  /** As in styles/views.css: the overview of a wide screen has room for the charts too. */
  private readonly isWide = matchMedia('(min-width: 2000px)');

  constructor(private readonly deps: PageDeps) {
    const { clock, services, app } = deps;
    this.alarms = new AlarmWatch(clock, () => this.invalidate());
    this.panels = createPanels({
      actions: this,
      range: this.range,
      services,
      alarms: this.alarms,
      app,
      frame: () => this.frame(),
      show: (view) => this.show(view),
      showService: (service) => this.showService(service),
      chartEvents: {
        onHover: (atMs) => {
          this.crosshairMs = atMs;
          this.invalidate();
        },
        onZoom: (fromMs, toMs) => {
          this.range.zoomTo(fromMs, toMs);
          this.invalidate();
        },
        onReset: () => this.resetZoom(),
      },
    });
    this.shortcuts = this.createShortcuts();
    this.panels.help.list(this.shortcuts);
    const press = (id: string, run: () => void) => byId(id, HTMLButtonElement).addEventListener('click', run);
    press('pause', () => this.togglePause());
    press('theme', () => this.nextTheme());
    press('help', () => this.panels.help.toggle());
    press('zoom-reset', () => this.resetZoom());
    document.addEventListener('visibilitychange', () => this.invalidate());
    this.watchScrolling();
    this.nameTheme();
    const asked = new URL(location.href).searchParams.get('view');
    this.show(isView(asked) ? asked : 'overview');
    this.tick();
  }

  /** News of a service: a reading, or something that a person waits for. */
  onNews(service: Service, isReading: boolean): void {
    if (isReading) this.alarms.look(service); // between readings the tick does
    const waitMs = isReading ? (INTERVALS_MS[this.interval] ?? 0) - SLACK_MS : NEWS_MS;
    const restMs = this.lastDrawnMs + waitMs - performance.now();
    if (restMs <= 0) this.invalidate();
    else if (!isReading && !this.isWaiting) {
      this.isWaiting = true;
      this.deps.clock.after(restMs, () => {
        this.isWaiting = false;
        this.invalidate();
      });
    }
  }

  invalidate(): void {
    if (this.isDue || document.hidden) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.draw();
    });
  }

  askToken(): void {
    this.panels.token.open();
  }

  showQueue(id: string): void {
    this.panels.queueDetail.follow(id);
    this.show(this.view === 'all' ? 'all' : 'queues');
  }

  showMoment(atMs: number): void {
    this.markMs = atMs;
    this.range.zoomTo(atMs - MARK_SPAN_MS / 2, atMs + MARK_SPAN_MS / 2);
    this.show('charts');
  }

  showFaultAt(atMs: number): void {
    this.panels.faults.pickAt(atMs);
    this.show(this.view === 'overview' || this.view === 'all' ? this.view : 'iommu');
  }

  private draw(): void {
    const frame = this.frame();
    this.lastDrawnMs = performance.now();
    for (const panel of this.inSight()) panel.render(frame);
  }

  private inSight(): Panel[] {
    return this.panels.placed
      .filter(
        ({ panel, views, at }) =>
          (this.view === 'all' && (at === undefined || !this.scrolledOut.has(at))) ||
          views === 'every' ||
          (this.view !== 'all' && views.includes(this.view)) ||
          (panel === this.panels.charts && this.view === 'overview' && this.isWide.matches),
      )
      .map(({ panel }) => panel);
  }

  private tick(): void {
    for (const service of this.deps.services.list) this.alarms.look(service);
    const isDrawn = performance.now() - this.lastDrawnMs < TICK_MS + SLACK_MS; // a drawing ticks too
    if (!document.hidden && !isDrawn) {
      const frame = this.frame();
      for (const panel of this.inSight()) panel.tick?.(frame);
    }
    this.deps.clock.after(TICK_MS, () => this.tick());
  }

  private frame(): Frame {
    const { clock, services } = this.deps;
    const { pause } = this;
    const service = services.active;
    const { store, connection } = service;
    const reading = pause?.reading ?? store.reading;
    const nowMs = clock.nowMs();
    return {
      nowMs,
      service,
      store,
      reading,
      faultPosition: Math.min(pause?.faultPosition ?? store.faults.position, store.faults.position),
      window: this.range.window(reading?.atMs ?? nowMs),
      crosshairMs: this.crosshairMs,
      markMs: this.markMs,
      palette: this.theme.palette,
      connection: connection.state,
      lastDataAtMs: connection.lastDataAtMs,
      pause: pause && {
        newReadings: store.readings - pause.readings,
        newFaults: Math.max(0, store.faults.position - pause.faultPosition),
      },
    };
  }

  private show(view: View): void {
    this.view = view;
    document.body.dataset['view'] = view;
    const url = new URL(location.href);
    if (url.searchParams.get('view') !== view) {
      url.searchParams.set('view', view);
      history.replaceState(null, '', url);
    }
    this.invalidate();
  }

  private showService(service: Service): void {
    this.pause = undefined;
    this.markMs = undefined;
    this.range.reset();
    this.deps.services.show(service);
    this.invalidate();
  }

  private watchScrolling(): void {
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.scrolledOut.delete(target.id);
        else this.scrolledOut.add(target.id);
      }
      this.invalidate();
    });
    for (const part of byId('page', HTMLElement).children) observer.observe(part);
  }

  private togglePause(): void {
    const { store } = this.deps.services.active;
    if (this.pause !== undefined) this.pause = undefined;
    else if (store.reading !== undefined) {
      this.pause = {
        reading: store.reading,
        faultPosition: store.faults.position,
        readings: store.readings,
      };
    }
    this.invalidate();
  }

  private resetZoom(): void {
    this.range.reset();
    this.markMs = undefined;
    this.invalidate();
  }

  private step(step: 1 | -1): void {
    this.range.step(step);
    this.invalidate();
  }

  private setInterval(step: 1 | -1): void {
    this.interval = Math.min(INTERVALS_MS.length - 1, Math.max(0, this.interval + step));
    const ms = INTERVALS_MS[this.interval] ?? 0;
    this.panels.toast(ms === 0 ? 'The page draws each reading' : `The page draws every ${ms / 1000} s`);
  }

  private nextTheme(): void {
    this.theme.next();
    this.nameTheme();
  }

  private nameTheme(): void {
    setText(byId('theme-word', HTMLElement), `: ${this.theme.current}`);
  }

  private escape(): void {
    const { queues, faults } = this.panels;
    if (queues.isFilterFocused()) queues.clearFilter();
    else if (faults.isFilterFocused()) faults.clearFilter();
    else if (this.range.isZoomed) this.resetZoom();
    else {
      queues.clearFilter();
      faults.clearFilter();
      faults.follow();
    }
  }

  private createShortcuts(): Shortcut[] {
    const { panels } = this;
    const key = (label: string, what: string, run: () => void, keys = [label.toLowerCase()]): Shortcut => ({
      keys,
      label,
      what,
      run,
    });
    return [
      key('Space', 'Pause the page; the data goes on', () => this.togglePause(), [' ']),
      ...VIEWS.map(({ id, key: digit, label }) => key(digit, label, () => this.show(id))),
      key('/', 'Filter the queues', () => {
        if (this.view !== 'overview' && this.view !== 'all') this.show('queues');
        panels.queues.focusFilter();
      }),
      key('F', 'Search the faults', () => {
        if (this.view !== 'overview' && this.view !== 'all') this.show('iommu');
        panels.faults.focusFilter();
      }),
      key('[', 'Shorter time range', () => this.step(-1)),
      key(']', 'Longer time range', () => this.step(1)),
      key('−', 'Draw more often', () => this.setInterval(-1), ['-']),
      key('+', 'Draw less often', () => this.setInterval(1), ['+', '=']),
      key('E', 'Export figures, pictures, faults', () => panels.exports.open()),
      key('S', 'Services: add, remove, switch', () => panels.services.open()),
      key('A', 'Admin token', () => panels.token.open()),
      key('T', 'Theme: system, dark, light', () => this.nextTheme()),
      key('R', 'Connect again now', () => this.deps.services.active.connection.connectNow()),
      key(
        'Esc',
        'Close a sheet, clear a filter, leave the zoom, follow the newest fault',
        () => this.escape(),
        ['Escape'],
      ),
      key('?', 'This sheet', () => panels.help.toggle()),
    ];
  }
}
