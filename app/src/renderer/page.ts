import type { MonitorConnection } from './connection/connection.ts';
import type { Endpoint } from './connection/endpoint.ts';
import type { Shortcut } from './keyboard.ts';
import { ConnectionStripPanel } from './panels/connection-strip.ts';
import { DevicesPanel } from './panels/devices.ts';
import { FaultsPanel } from './panels/faults.ts';
import { HeadlinePanel } from './panels/headline.ts';
import { HelpSheet } from './panels/help.ts';
import { NoticePanel } from './panels/notice.ts';
import type { Frame, Panel } from './panels/panel.ts';
import { QueuesPanel } from './panels/queues.ts';
import { DEFAULT_SPAN_MS, RANGES, ThroughputPanel } from './panels/throughput.ts';
import type { MonitorStore, Reading } from './store/monitor-store.ts';
import { ThemeSwitch } from './theme/theme.ts';
import type { Clock } from './timing.ts';
import { byId, setText } from './widgets/dom.ts';

const TICK_MS = 500;

interface Pause {
  reading: Reading;
  faultPosition: number;
  readings: number;
}

interface PageDeps {
  clock: Clock;
  store: MonitorStore;
  connection: MonitorConnection;
  endpoint: Endpoint;
}

/** The whole page: draws all panels from the store, at most once a frame and never while hidden. */
export class Page {
  readonly shortcuts: readonly Shortcut[];
  private readonly theme = new ThemeSwitch(() => this.invalidate());
  private readonly queues = new QueuesPanel(() => this.invalidate());
  private readonly faults = new FaultsPanel(() => this.invalidate());
  private readonly help = new HelpSheet();
  private readonly panels: readonly Panel[];
  private pause: Pause | undefined;
  private spanMs: number = DEFAULT_SPAN_MS;
  private isDue = false;

  constructor(private readonly deps: PageDeps) {
    const { endpoint, connection } = deps;
    this.panels = [
      new ConnectionStripPanel(endpoint),
      new HeadlinePanel(),
      new ThroughputPanel(
        () => this.invalidate(),
        (spanMs) => this.setSpan(spanMs),
      ),
      new NoticePanel(endpoint, () => connection.connectNow()),
      new DevicesPanel(),
      this.queues,
      this.faults,
    ];
    this.shortcuts = this.createShortcuts();
    this.help.list(this.shortcuts);
    byId('pause', HTMLButtonElement).addEventListener('click', () => this.togglePause());
    byId('theme', HTMLButtonElement).addEventListener('click', () => this.nextTheme());
    byId('help', HTMLButtonElement).addEventListener('click', () => this.help.toggle());
    document.addEventListener('visibilitychange', () => this.invalidate());
    this.nameTheme();
    this.tick();
  }

  /** Asks for one drawing of all panels in the next frame. */
  invalidate(): void {
    if (this.isDue || document.hidden) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      const frame = this.frame();
      for (const panel of this.panels) panel.render(frame);
    });
  }

  private tick(): void {
    if (!document.hidden) {
      const frame = this.frame();
      for (const panel of this.panels) panel.tick?.(frame);
    }
    this.deps.clock.after(TICK_MS, () => this.tick());
  }

  private frame(): Frame {
    const { clock, store, connection } = this.deps;
    const { pause } = this;
    return {
      nowMs: clock.nowMs(),
      store,
      reading: pause?.reading ?? store.reading,
      faultPosition: pause?.faultPosition ?? store.faults.position,
      spanMs: this.spanMs,
      palette: this.theme.palette,
      connection: connection.state,
      lastDataAtMs: connection.lastDataAtMs,
      pause: pause && {
        newReadings: store.readings - pause.readings,
        newFaults: Math.max(0, store.faults.position - pause.faultPosition),
      },
    };
  }

  private togglePause(): void {
    const { store } = this.deps;
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

  private setSpan(spanMs: number): void {
    this.spanMs = spanMs;
    this.invalidate();
  }

  private stepSpan(step: 1 | -1): void {
    const index = RANGES.findIndex(({ spanMs }) => spanMs === this.spanMs) + step;
    const range = RANGES[index];
    if (range !== undefined) this.setSpan(range.spanMs);
  }

  private nextTheme(): void {
    this.theme.next();
    this.nameTheme();
  }

  private nameTheme(): void {
    setText(byId('theme-word', HTMLElement), `Theme: ${this.theme.current}`);
  }

  private escape(): void {
    if (this.help.isOpen) this.help.toggle();
    else if (document.activeElement === byId('queue-filter', HTMLInputElement)) this.queues.clearFilter();
    else {
      this.queues.clearFilter();
      this.faults.follow();
    }
  }

  private createShortcuts(): Shortcut[] {
    return [
      {
        keys: [' '],
        label: 'Space',
        what: 'Pause the page; the data goes on',
        run: () => this.togglePause(),
      },
      { keys: ['/'], label: '/', what: 'Filter the queues', run: () => this.queues.focusFilter() },
      { keys: ['['], label: '[', what: 'Shorter time range', run: () => this.stepSpan(-1) },
      { keys: [']'], label: ']', what: 'Longer time range', run: () => this.stepSpan(1) },
      { keys: ['t'], label: 'T', what: 'Theme: system, dark, light', run: () => this.nextTheme() },
      {
        keys: ['r'],
        label: 'R',
        what: 'Connect again now',
        run: () => this.deps.connection.connectNow(),
      },
      {
        keys: ['Escape'],
        label: 'Esc',
        what: 'Close this sheet, clear the filter, follow the newest fault',
        run: () => this.escape(),
      },
      { keys: ['?'], label: '?', what: 'This sheet', run: () => this.help.toggle() },
    ];
  }
}
