import type { DeviceSnapshot } from '../../../../shared/src/telemetry.ts';
import type { CoreRow, DeviceRow } from '../store/rates.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { age, figure, mebibytes, percent, plural } from '../widgets/format.ts';
import { Meter } from '../widgets/meter.ts';
import { Pace } from './pace.ts';
import type { Frame, Panel } from './panel.ts';

const FAULT_MODELS: Record<DeviceSnapshot['faultModel'], string> = {
  none: 'faults abort',
  stall: 'faults stall',
  pri: 'faults by page request',
};
const HARDWARE: Record<DeviceSnapshot['hardware'], string> = { 'zip-v2': 'ZIP V2', 'zip-v3': 'ZIP V3' };

/** Each accelerator with its queues in use and the load of its engine cores; below, the process that hosts it. */
export class DevicesPanel implements Panel {
  private readonly root = byId('devices', HTMLElement);
  private readonly list = el('div', { class: 'device-list scroll' });
  private readonly host = el('p', {
    class: 'host-line',
    title:
      'The process of the service: how long it runs, streams at work, resident memory, mean delay of its event loop',
  });
  private readonly empty = el('p', { class: 'empty' });
  private readonly views = new Map<string, DeviceView>();
  private readonly pace = new Pace();

  constructor() {
    this.list.append(this.empty);
    this.root.append(this.list, this.host);
  }

  render(frame: Frame): void {
    const { reading, store, connection } = frame;
    if (!this.pace.isDue(frame, String(store.mdevs.size))) return;
    const rows = reading?.devices ?? [];
    this.empty.hidden = rows.length > 0;
    setText(
      this.empty,
      reading === undefined
        ? connection.kind === 'connecting'
          ? 'Waiting for the first reading.'
          : 'Devices appear here once the service answers.'
        : 'The service reports no device. GET /readyz names what is missing.',
    );
    const names = new Set(rows.map(({ device }) => device.name));
    for (const [name, view] of this.views) {
      if (names.has(name)) continue;
      view.root.remove();
      this.views.delete(name);
    }
    for (const row of rows) {
      let view = this.views.get(row.device.name);
      if (view === undefined) {
        view = new DeviceView();
        this.views.set(row.device.name, view);
        this.list.append(view.root);
      }
      const mdevs = [...store.mdevs.values()].filter(({ parent }) => parent === row.device.name).length;
      view.render(row, mdevs);
    }
    const host = reading?.host;
    const uptime =
      store.status === undefined || reading === undefined
        ? ''
        : `Up ${age(reading.atMs - store.status.startedAtMs)}`;
    this.host.hidden = host === undefined;
    setText(
      this.host,
      host === undefined
        ? ''
        : [
            uptime,
            reading === undefined ? '' : plural(reading.totals.activeStreams, 'stream'),
            mebibytes(host.rssBytes),
            `loop ${figure(host.eventLoopDelayMs)} ms`,
            host.droppedSamples === 0 ? '' : `${plural(host.droppedSamples, 'reading')} left out`,
          ]
            .filter(Boolean)
            .join(' · '),
    );
  }
}

class DeviceView {
  readonly root: HTMLElement;
  private readonly name = el('span');
  private readonly kind = el('span', { class: 'muted device-kind' });
  private readonly facts = el('p', { class: 'device-facts' });
  private readonly queues = new Meter('Queues in use');
  private readonly queuesText = el('span', { class: 'num' });
  private readonly cores = el('tbody');
  private readonly rows = new Map<number, CoreView>();

  constructor() {
    const header = el(
      'tr',
      {},
      el('th', { text: 'Core', attrs: { scope: 'col' } }),
      el('th', { class: 'num', text: 'Jobs/s', attrs: { scope: 'col' } }),
      el('th', { class: 'core-busy', text: 'Busy', attrs: { scope: 'col' } }),
      el('th', { class: 'num', text: '', attrs: { 'aria-hidden': 'true' } }),
    );
    this.root = el(
      'article',
      { class: 'device' },
      el('h3', {}, this.name, this.kind),
      this.facts,
      el(
        'div',
        { class: 'device-queues' },
        el('span', { class: 'muted', text: 'Queues' }),
        this.queues.root,
        this.queuesText,
      ),
      el('table', { class: 'cores' }, el('thead', {}, header), this.cores),
    );
  }

  render({ device, cores }: DeviceRow, mdevs: number): void {
    setText(this.name, device.name);
    setText(this.kind, device.kind);
    setText(
      this.facts,
      [HARDWARE[device.hardware], device.bdf, FAULT_MODELS[device.faultModel], plural(mdevs, 'mdev')].join(
        ' · ',
      ),
    );
    const used = device.queuesTotal - device.queuesFree;
    this.queues.set(device.queuesTotal === 0 ? 0 : used / device.queuesTotal);
    setText(this.queuesText, `${used} of ${device.queuesTotal}`);
    for (const core of cores) {
      let row = this.rows.get(core.id);
      if (row === undefined) {
        row = new CoreView();
        this.rows.set(core.id, row);
        this.cores.append(row.root);
      }
      row.render(core);
    }
  }
}

class CoreView {
  private readonly name = el('td');
  private readonly jobs = el('td', { class: 'num' });
  private readonly busy = new Meter('Busy');
  private readonly busyText = el('td', { class: 'num' });
  readonly root = el('tr', {}, this.name, this.jobs, el('td', {}, this.busy.root), this.busyText);

  render(core: CoreRow): void {
    setText(this.name, `${core.id} ${core.name} ${core.where === 'polled' ? 'polled' : 'worker'}`);
    setText(this.jobs, figure(core.jobsPerSec));
    this.busy.set(core.busyRatio);
    setText(this.busyText, percent(core.busyRatio));
  }
}
