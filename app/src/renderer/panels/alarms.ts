import { type AlarmWatch, MUTE_MS } from '../alarms/alarm-watch.ts';
import { byId, el, setAttribute, setText } from '../widgets/dom.ts';
import { age, clockTime, plural } from '../widgets/format.ts';
import type { Frame, Panel } from './panel.ts';

/** An alarm that waits longer than the hour that the page remembers could not be looked into. */
const MAX_SECONDS = 3600;

interface RuleView {
  state: HTMLElement;
  value: HTMLElement;
  acknowledge: HTMLButtonElement;
  mute: HTMLButtonElement;
  muteWord: HTMLElement;
  on: HTMLInputElement;
  threshold: HTMLInputElement;
  seconds: HTMLInputElement;
  ends: HTMLElement;
}

/** Rules with their thresholds, what fires now, and what fired before. */
export class AlarmsPanel implements Panel {
  private readonly note = byId('alarms-note', HTMLElement);
  private readonly views = new Map<string, RuleView>();
  private readonly rows = el('tbody');
  private readonly log = el('ol', {
    class: 'time-line scroll',
    attrs: { 'aria-label': 'What fired and ended, newest first', tabindex: '0' },
  });
  private readonly answer = el('p', { class: 'answer', attrs: { role: 'status' } });
  private readonly notify = el('input', { attrs: { type: 'checkbox', id: 'notify' } });
  private drawnLog = -1;
  private frame: Frame | undefined;

  constructor(private readonly alarms: AlarmWatch) {
    const head = ['On', 'Alarm', 'State', 'Value', 'Fires', 'after', 'ends', '', ''].map((text) =>
      text === '' ? el('td') : el('th', { text, attrs: { scope: 'col' } }),
    );
    for (const rule of alarms.rules) this.addRule(rule.id);
    const table = el('table', { class: 'rules' }, el('thead', {}, el('tr', {}, ...head)), this.rows);
    const reset = el('button', { class: 'action', text: 'Defaults', attrs: { type: 'button' } });
    reset.addEventListener('click', () => alarms.resetRules());
    this.notify.checked = alarms.wantsNotifications;
    this.notify.addEventListener('change', () => void this.setNotifications());
    byId('alarms-actions', HTMLElement).append(
      el('label', { class: 'check', attrs: { for: 'notify' } }, this.notify, 'System notifications'),
      reset,
    );
    byId('alarms', HTMLElement).append(
      el(
        'div',
        { class: 'scroll rules-box', attrs: { role: 'region', 'aria-label': 'Alarm rules', tabindex: '0' } },
        table,
        this.answer,
      ),
      el('div', { class: 'alarm-log' }, el('h3', { text: 'History, newest first' }), this.log),
    );
  }

  render(frame: Frame): void {
    this.frame = frame;
    this.tick(frame);
  }

  tick(frame: Frame): void {
    const { nowMs } = this.alarms;
    const alarms = this.alarms.of(frame.service);
    let firing = 0;
    for (const alarm of alarms) {
      const view = this.views.get(alarm.rule.id);
      if (view === undefined) continue;
      const { rule, state } = alarm;
      if (state === 'firing') firing++;
      const isMuted = alarm.isMuted(nowMs);
      setAttribute(
        view.state,
        'data-state',
        state === 'firing' && (isMuted || alarm.isAcknowledged) ? 'seen' : state,
      );
      setText(view.state, stateWords(rule.isOn, state, alarm.isAcknowledged, isMuted, nowMs - alarm.sinceMs));
      setText(view.value, Number.isFinite(alarm.value) ? shortNumber(alarm.value * rule.scale) : '–');
      view.acknowledge.disabled = state !== 'firing' || alarm.isAcknowledged;
      setText(view.muteWord, isMuted ? 'Unmute' : 'Mute 1 h');
      if (document.activeElement !== view.threshold)
        view.threshold.value = String(Number((rule.threshold * rule.scale).toPrecision(6)));
      if (document.activeElement !== view.seconds) view.seconds.value = String(rule.forMs / 1000);
      view.on.checked = rule.isOn;
      setText(
        view.ends,
        `${rule.when === 'above' ? 'below' : 'above'} ${shortNumber(rule.clear * rule.scale)}`,
      );
    }
    setText(
      this.note,
      `${firing === 0 ? 'none fires' : `${plural(firing, 'alarm fires', 'alarms fire')}`} on ${frame.service.endpoint.label}`,
    );
    this.drawLog();
  }

  private drawLog(): void {
    const { history } = this.alarms;
    const key = history.length === 0 ? 0 : (history.at(-1)?.atMs ?? 0) + history.length;
    if (key === this.drawnLog) return;
    this.drawnLog = key;
    this.log.replaceChildren(
      ...(history.length === 0
        ? [el('li', { class: 'muted', text: 'Nothing has fired since this page was opened.' })]
        : []),
      ...history
        .toReversed()
        .map(({ atMs, title, kind, value, service }) =>
          el(
            'li',
            {},
            el('span', { class: 'num', text: clockTime(atMs) }),
            el('b', { text: `${title} ${kind}` }),
            el('span', { class: 'muted', text: `${value}, ${service}` }),
          ),
        ),
    );
  }

  private addRule(id: string): void {
    const rule = this.alarms.rules.find((one) => one.id === id);
    if (rule === undefined) return;
    const muteWord = el('span', { text: 'Mute 1 h' });
    const view: RuleView = {
      state: el('td', { class: 'alarm-state' }),
      value: el('td', { class: 'num' }),
      acknowledge: el('button', {
        class: 'action',
        text: 'Acknowledge',
        attrs: { type: 'button', 'aria-label': `Acknowledge ${rule.title}` },
      }),
      mute: el(
        'button',
        { class: 'action', attrs: { type: 'button' } },
        muteWord,
        el('span', { class: 'visually-hidden', text: ` ${rule.title}` }),
      ),
      muteWord,
      ends: el('td', { class: 'num' }),
      on: el('input', { attrs: { type: 'checkbox', 'aria-label': `${rule.title} is on` } }),
      threshold: el('input', {
        class: 'number',
        attrs: { type: 'number', step: 'any', min: '0', 'aria-label': `Threshold of ${rule.title}` },
      }),
      seconds: el('input', {
        class: 'number seconds',
        attrs: { type: 'number', step: 'any', min: '0', 'aria-label': `Seconds before ${rule.title} fires` },
      }),
    };
    this.views.set(id, view);
    view.on.addEventListener('change', () => this.alarms.setRule(id, { isOn: view.on.checked }));
    view.threshold.addEventListener('change', () => this.setThreshold(id, view.threshold));
    view.seconds.addEventListener('change', () => this.setSeconds(id, view.seconds));
    view.acknowledge.addEventListener('click', () =>
      this.change(id, (alarm) => (alarm.isAcknowledged = true)),
    );
    view.mute.addEventListener('click', () =>
      this.change(
        id,
        (alarm) => (alarm.mutedUntilMs = alarm.isMuted(this.alarms.nowMs) ? 0 : this.alarms.nowMs + MUTE_MS),
      ),
    );
    this.rows.append(
      el(
        'tr',
        {},
        el('td', {}, view.on),
        el(
          'td',
          {},
          el('b', { text: rule.title }),
          el('span', { class: 'muted rule-advice', text: rule.advice }),
        ),
        view.state,
        view.value,
        el('td', {}, `${rule.when} `, view.threshold, ` ${rule.unit}`),
        el('td', {}, view.seconds, ' s'),
        view.ends,
        el('td', {}, view.acknowledge),
        el('td', {}, view.mute),
      ),
    );
  }

  /** A threshold keeps its distance to the lower one: both move by the same factor. */
  private setThreshold(id: string, input: HTMLInputElement): void {
    const rule = this.alarms.rules.find((one) => one.id === id);
    const shown = input.valueAsNumber;
    if (rule === undefined) return;
    if (!(shown > 0)) {
      setText(this.answer, `A threshold is a number above 0, not “${input.value}”.`);
      input.value = String(rule.threshold * rule.scale);
      return;
    }
    const threshold = shown / rule.scale;
    setText(this.answer, `${rule.title} fires ${rule.when} ${shown} ${rule.unit} from now on.`);
    this.alarms.setRule(id, { threshold, clear: (rule.clear / rule.threshold) * threshold });
  }

  private setSeconds(id: string, input: HTMLInputElement): void {
    const rule = this.alarms.rules.find((one) => one.id === id);
    const seconds = input.valueAsNumber;
    if (rule === undefined) return;
    if (!(seconds >= 0 && seconds <= MAX_SECONDS)) {
      setText(this.answer, `An alarm waits 0 to ${MAX_SECONDS} s before it fires, not “${input.value}”.`);
      input.value = String(rule.forMs / 1000);
      return;
    }
    setText(
      this.answer,
      seconds === 0
        ? `${rule.title} fires at once from now on.`
        : `${rule.title} fires after ${seconds} s from now on.`,
    );
    this.alarms.setRule(id, { forMs: seconds * 1000 });
  }

  private change(id: string, apply: (alarm: ReturnType<AlarmWatch['of']>[number]) => void): void {
    const alarm =
      this.frame === undefined
        ? undefined
        : this.alarms.of(this.frame.service).find(({ rule }) => rule.id === id);
    if (alarm === undefined || this.frame === undefined) return;
    apply(alarm);
    this.tick(this.frame);
  }

  private async setNotifications(): Promise<void> {
    const isDone = await this.alarms.setNotifications(this.notify.checked);
    this.notify.checked = this.alarms.wantsNotifications;
    setText(
      this.answer,
      isDone ? '' : 'The system refused notifications for this page; allow them in its settings.',
    );
  }
}

const shortNumber = (value: number) => String(Number(value.toPrecision(3)));

function stateWords(
  isOn: boolean,
  state: string,
  isAcknowledged: boolean,
  isMuted: boolean,
  forMs: number,
): string {
  if (!isOn) return 'off';
  if (state !== 'firing') return isMuted ? `${state}, muted` : state;
  return `fires for ${age(forMs)}${isAcknowledged ? ', acknowledged' : ''}${isMuted ? ', muted' : ''}`;
}
