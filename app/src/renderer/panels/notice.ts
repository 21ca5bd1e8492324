import type { Endpoint } from '../connection/endpoint.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { age, clockTime } from '../widgets/format.ts';
import { inSeconds } from './connection-strip.ts';
import type { Frame, Panel } from './panel.ts';

interface Notice {
  title: string;
  text: string;
  /** A command that is the next step. */
  command?: string;
  canRetry: boolean;
  canDemo?: boolean;
}

/** The words over the chart while there is nothing current to draw: what is the matter and what to do next. */
export class NoticePanel implements Panel {
  private readonly root = byId('notice', HTMLElement);
  private readonly title = el('h3');
  private readonly text = el('p');
  private readonly command = el('code');
  private readonly copy = el('button', { class: 'action', text: 'Copy', attrs: { type: 'button' } });
  private readonly retry = el('button', {
    class: 'action action-main',
    text: 'Try now',
    attrs: { type: 'button' },
  });

  private readonly demo = el('button', {
    class: 'action action-main',
    text: 'Start a demo load',
    attrs: { type: 'button' },
  });
  private frame: Frame | undefined;

  constructor() {
    const actions = el('div', { class: 'notice-actions' }, this.command, this.copy, this.demo, this.retry);
    this.root.append(el('div', { class: 'notice-card' }, this.title, this.text, actions));
    this.retry.addEventListener('click', () => this.frame?.service.connection.connectNow());
    this.demo.addEventListener('click', () => this.frame?.service.demo.start());
    this.copy.addEventListener('click', () => void this.copyCommand());
  }

  render(frame: Frame): void {
    this.tick(frame);
  }

  tick(frame: Frame): void {
    this.frame = frame;
    const notice = noticeOf(frame, frame.service.endpoint);
    this.root.hidden = notice === undefined;
    if (notice === undefined) return;
    setText(this.title, notice.title);
    setText(this.text, notice.text);
    this.command.hidden = this.copy.hidden = notice.command === undefined;
    if (this.command.textContent !== notice.command) {
      setText(this.command, notice.command ?? '');
      setText(this.copy, 'Copy');
    }
    this.retry.hidden = !notice.canRetry;
    this.demo.hidden = notice.canDemo !== true;
  }

  private async copyCommand(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.command.textContent ?? '');
      setText(this.copy, 'Copied');
    } catch {
      getSelection()?.selectAllChildren(this.command); // refused: leave the last step to the person
      setText(this.copy, 'Press Ctrl+C');
    }
  }
}

const START_COMMAND = 'npm start';

function noticeOf(frame: Frame, endpoint: Endpoint): Notice | undefined {
  const { connection, reading, nowMs, lastDataAtMs } = frame;
  switch (connection.kind) {
    case 'live':
      if (reading === undefined || reading.totals.requests > 0 || reading.totals.bytesIn > 0)
        return undefined;
      // attached processes at work are in the chart
      return reading.queues.some(({ queue }) => queue.operations > 0) ? undefined : firstRequest(endpoint);
    case 'connecting':
      if (reading !== undefined)
        return { ...dataEnds(frame), text: `Connecting to ${endpoint.label} again.` };
      return { title: `Connecting to ${endpoint.label}`, text: endpoint.monitorUrl, canRetry: false };
    case 'silent':
      return {
        title: `No data for ${age(nowMs - (lastDataAtMs ?? nowMs))}`,
        text: 'The connection is open, but the service sends nothing: it may be stopped in a debugger or out of CPU time.',
        canRetry: true,
      };
    case 'reconnecting':
    case 'lost': {
      const next = `Next try ${inSeconds(connection.retryAtMs - nowMs)}.`;
      const reason = sentence(connection.reason);
      if (reading === undefined) {
        return {
          title: `No service at ${endpoint.label}`,
          text: `${reason} Start it, and this page connects by itself. ${next}`,
          command: START_COMMAND,
          canRetry: true,
        };
      }
      return {
        ...dataEnds(frame),
        text: `${reason} If the service does not return by itself, start it again. ${next}`,
        command: START_COMMAND,
      };
    }
  }
}

const dataEnds = ({ reading, nowMs, lastDataAtMs }: Frame) => ({
  title: `Data ends at ${clockTime(reading?.atMs ?? nowMs)}, ${age(nowMs - (lastDataAtMs ?? nowMs))} ago`,
  canRetry: true,
});

const firstRequest = ({ httpOrigin }: Endpoint): Notice => ({
  title: 'Connected. No bytes yet',
  text: 'Send the first ones from a terminal and watch this chart, or let this page post log lines for a minute:',
  command: `tar cf - /usr/share | curl -sS -T - '${httpOrigin}/v1/compress?format=gzip' -o share.tar.gz`,
  canRetry: false,
  canDemo: true,
});

const sentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
