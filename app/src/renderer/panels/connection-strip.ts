import type { ConnectionState } from '../connection/state.ts';
import { byId, el, setAttribute, setText, setTitle } from '../widgets/dom.ts';
import { age, clockTime, count, plural } from '../widgets/format.ts';
import type { Frame, Panel } from './panel.ts';

/** Tells what the page's data is worth: the connection, the data's age, and which service and engine made it. */
export class ConnectionStripPanel implements Panel {
  private readonly strip = byId('strip', HTMLElement);
  private readonly state = byId('state', HTMLElement);
  private readonly spoken = byId('state-spoken', HTMLOutputElement);
  private readonly stateWord = byId('state-word', HTMLElement);
  private readonly pause = byId('pause', HTMLButtonElement);
  private readonly pauseWord = byId('pause-word', HTMLElement);
  private readonly page = byId('page', HTMLElement);
  private readonly staleTags = document.getElementsByClassName('stale-tag'); // live: panels add theirs
  private readonly dataAge: HTMLElement;
  private readonly service: HTMLElement;
  private readonly engine: HTMLElement;
  private readonly serviceName = el('span');
  private readonly version = el('span', { class: 'version' });
  private readonly engineName = el('span', { text: '–' });
  private readonly engineReason = el('span', { class: 'reason' });
  private readonly mode: HTMLElement;
  private readonly emulated: HTMLElement;

  constructor() {
    const facts = byId('facts', HTMLElement);
    const fact = (term: string, name: string) => {
      const value = el('dd', { text: '–' });
      facts.append(el('div', { class: `fact fact-${name}` }, el('dt', { text: term }), value));
      return value;
    };
    this.dataAge = fact('data', 'age');
    this.service = fact('service', 'service');
    this.service.replaceChildren(this.serviceName, this.version);
    this.mode = fact('mode', 'mode');
    this.engine = fact('engine', 'engine');
    this.engine.replaceChildren(this.engineName, this.engineReason);
    const badge = el('dd', { class: 'badge', text: 'emulated' });
    this.emulated = el(
      'div',
      { class: 'fact fact-device' },
      el('dt', { class: 'visually-hidden', text: 'device' }),
      badge,
    );
    this.emulated.title = 'The ZIP engine is a register-level emulator; no accelerator hardware is in use.';
    this.emulated.hidden = true;
    facts.append(this.emulated);
  }

  render(frame: Frame): void {
    const { status } = frame.store;
    const { label } = frame.service.endpoint;
    setText(this.serviceName, label);
    setText(this.version, status === undefined ? '' : ` · v${status.version}`);
    this.emulated.hidden = status?.emulated !== true;
    if (status !== undefined) {
      setTitle(
        this.service,
        `Process ${status.pid}, Node ${status.node}, started ${clockTime(status.startedAtMs)}`,
      );
      setText(this.mode, status.mode);
      setText(this.engineName, status.core);
      setText(this.engineReason, status.coreReason === '' ? '' : ` · ${status.coreReason}`);
      setTitle(this.engine, status.coreReason);
    }
    const { pause } = frame;
    setAttribute(this.pause, 'aria-pressed', String(pause !== undefined));
    setText(this.pauseWord, pause === undefined ? 'Pause' : pausedWords(pause));
    this.tick(frame);
  }

  tick(frame: Frame): void {
    const { connection, nowMs, lastDataAtMs } = frame;
    if (this.strip.dataset['state'] !== connection.kind) {
      this.strip.dataset['state'] = connection.kind;
      setText(this.spoken, SPOKEN[connection.kind]); // once a change, not with every second of a countdown
    }
    setText(this.stateWord, stateWords(connection, nowMs));
    setTitle(this.state, 'reason' in connection ? connection.reason : '');
    setText(this.dataAge, lastDataAtMs === undefined ? 'none yet' : `${age(nowMs - lastDataAtMs)} old`);
    const stale = staleWords(frame);
    setAttribute(this.page, 'data-stale', String(stale !== '' && frame.pause === undefined));
    for (const tag of this.staleTags) if (tag instanceof HTMLElement) setText(tag, stale);
  }
}

const SPOKEN: Record<ConnectionState['kind'], string> = {
  connecting: 'Connecting to the service',
  live: 'Connected, data is live',
  silent: 'The service sends no data',
  reconnecting: 'Connection lost, reconnecting',
  lost: 'The service is gone',
};

function stateWords(state: ConnectionState, nowMs: number): string {
  switch (state.kind) {
    case 'connecting':
      return 'Connecting';
    case 'live':
      return 'Live';
    case 'silent':
      return 'No data';
    case 'reconnecting':
      return `Reconnecting ${inSeconds(state.retryAtMs - nowMs)}`;
    case 'lost':
      return `Lost · next try ${inSeconds(state.retryAtMs - nowMs)}`;
  }
}

export const inSeconds = (ms: number): string => (ms <= 0 ? 'now' : `in ${Math.ceil(ms / 1000)} s`);

const pausedWords = ({ newReadings, newFaults }: NonNullable<Frame['pause']>) =>
  newFaults === 0 ? `Paused · ${count(newReadings)} new` : `Paused · ${plural(newFaults, 'fault')}`;

/** The label that every panel carries while it does not show the present; empty while it does. */
function staleWords({ reading, connection, pause }: Frame): string {
  if (reading === undefined) return '';
  const moment = clockTime(reading.atMs);
  if (connection.kind !== 'live') return `not live: as of ${moment}`;
  return pause === undefined ? '' : `paused at ${moment}`;
}
