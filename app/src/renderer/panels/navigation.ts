import { valueWords } from '../alarms/alarm.ts';
import type { AlarmWatch } from '../alarms/alarm-watch.ts';
import type { Service, Services } from '../services.ts';
import { RANGES, type TimeRange } from '../store/time-range.ts';
import { VIEWS, type View } from '../views.ts';
import { byId, el, setAttribute, setText } from '../widgets/dom.ts';
import { clockTime, megabytes, plural } from '../widgets/format.ts';
import type { Frame, PageActions, Panel } from './panel.ts';

interface NavigationDeps {
  actions: PageActions;
  range: TimeRange;
  services: Services;
  alarms: AlarmWatch;
  show(view: View): void;
  showService(service: Service): void;
}

/** The bar under the strip: views, watched services, the time range of all charts; and the alarms that are loud. */
export class NavigationPanel implements Panel {
  private readonly tabs: { id: View; button: HTMLButtonElement }[];
  private readonly ranges: { spanMs: number; button: HTMLButtonElement }[];
  private readonly zoomReset = byId('zoom-reset', HTMLButtonElement);
  private readonly zoomWord = byId('zoom-word', HTMLElement);
  private readonly alarmBar = byId('alarm-bar', HTMLOutputElement);
  private readonly alarmWords = el('span');
  private readonly serviceTabs: { service: Service; button: HTMLButtonElement; figure: HTMLElement }[];

  constructor(private readonly deps: NavigationDeps) {
    const { show, range, actions, services } = deps;
    this.tabs = VIEWS.map(({ id, key, label }) => {
      const button = el(
        'button',
        { class: 'tab', attrs: { type: 'button', 'aria-keyshortcuts': key } },
        label,
        el('kbd', { text: key }),
      );
      button.addEventListener('click', () => show(id));
      return { id, button };
    });
    byId('tabs', HTMLElement).append(...this.tabs.map(({ button }) => button));
    this.ranges = RANGES.map(({ spanMs, label }) => {
      const button = el('button', { class: 'range', text: label, attrs: { type: 'button' } });
      button.addEventListener('click', () => {
        range.setSpan(spanMs);
        actions.invalidate();
      });
      return { spanMs, button };
    });
    byId('ranges', HTMLElement).append(...this.ranges.map(({ button }) => button));
    this.serviceTabs = services.list.map((service) => {
      const figure = el('span', { class: 'service-figure' });
      const button = el(
        'button',
        { class: 'tab service-tab', attrs: { type: 'button' } },
        el('i', { class: 'shape', attrs: { 'aria-hidden': 'true' } }),
        el('span', { text: service.endpoint.label }),
        figure,
      );
      button.addEventListener('click', () => deps.showService(service));
      return { service, button, figure };
    });
    const row = byId('service-tabs', HTMLElement);
    row.append(...this.serviceTabs.map(({ button }) => button));
    row.hidden = services.list.length < 2;
    const look = el('button', { class: 'action', text: 'Show alarms', attrs: { type: 'button' } });
    look.addEventListener('click', () => show('alarms'));
    this.alarmBar.append(
      el('i', { class: 'shape', attrs: { 'aria-hidden': 'true' } }),
      this.alarmWords,
      look,
    );
  }

  render(frame: Frame): void {
    const view = document.body.dataset['view'];
    for (const { id, button } of this.tabs) {
      if (id === view) setAttribute(button, 'aria-current', 'page');
      else button.removeAttribute('aria-current');
    }
    const { range } = this.deps;
    for (const { spanMs, button } of this.ranges)
      setAttribute(button, 'aria-pressed', String(!range.isZoomed && spanMs === range.spanMs));
    const { fromMs, toMs, isZoomed } = frame.window;
    this.zoomReset.hidden = !isZoomed;
    if (isZoomed) setText(this.zoomWord, `${clockTime(fromMs)} – ${clockTime(toMs)}`);
    this.tick(frame);
  }

  tick(frame: Frame): void {
    for (const { service, button, figure } of this.serviceTabs) {
      const { connection, store } = service;
      button.dataset['state'] = connection.state.kind;
      if (service === frame.service) setAttribute(button, 'aria-current', 'true');
      else button.removeAttribute('aria-current');
      const rate = store.reading?.rates.inBytesPerSec ?? Number.NaN;
      setText(figure, connection.state.kind === 'live' ? `${megabytes(rate)} MB/s` : connection.state.kind);
    }
    const loud = this.deps.alarms.loud();
    this.alarmBar.hidden = loud.length === 0;
    const [first] = loud;
    if (first === undefined) return;
    const { alarm, service } = first;
    const where = this.deps.services.list.length > 1 ? ` on ${service.endpoint.label}` : '';
    const more = loud.length === 1 ? '' : ` and ${plural(loud.length - 1, 'more alarm')}`;
    setText(
      this.alarmWords,
      `${alarm.rule.title}: ${valueWords(alarm.rule, alarm.value)}${where}${more}. ${alarm.rule.advice}`,
    );
  }
}
