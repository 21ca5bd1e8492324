import type { MdevSnapshot } from '../../../../shared/src/telemetry.ts';
import { type Column, DataTable } from '../widgets/data-table.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { clockTime, dataSize, plural } from '../widgets/format.ts';
import type { Confirm } from './confirm.ts';
import { MdevTypes } from './mdev-types.ts';
import type { Frame, PageActions, Panel } from './panel.ts';

const EVENTS_SHOWN = 60;

const COLUMNS: readonly Column<MdevSnapshot>[] = [
  { key: 'uuid', label: 'UUID', hint: 'Name of the instance below its parent', text: ({ uuid }) => uuid },
  {
    key: 'mdev-state',
    label: 'State',
    hint: 'created, opened, bound, active, draining, removed',
    text: ({ state }) => state,
  },
  { key: 'type', label: 'Type', hint: 'What its parent offers', text: ({ type }) => type },
  {
    key: 'parent',
    label: 'Parent',
    hint: 'The device that it is a part of',
    optional: true,
    text: ({ parent }) => parent,
  },
  {
    key: 'qp',
    label: 'Queue pair',
    hint: 'Assigned at create, or at open by policy on-open',
    numeric: true,
    text: ({ qpId }) => (qpId < 0 ? 'at open' : String(qpId)),
    order: ({ qpId }) => qpId,
  },
  {
    key: 'group',
    label: 'Group',
    hint: 'IOMMU group: /dev/vfio/<n>',
    numeric: true,
    text: ({ iommuGroup }) => String(iommuGroup ?? '–'),
    order: ({ iommuGroup }) => iommuGroup ?? Number.NaN,
  },
  {
    key: 'pool',
    label: 'DMA pool',
    hint: 'Memory reserved at create',
    numeric: true,
    optional: true,
    text: ({ dmaPoolBytes }) =>
      dmaPoolBytes === undefined || dmaPoolBytes === 0 ? '–' : dataSize(dmaPoolBytes),
    order: ({ dmaPoolBytes }) => dmaPoolBytes ?? Number.NaN,
  },
  {
    key: 'created',
    label: 'Created',
    hint: 'Local time',
    numeric: true,
    text: ({ createdAtMs }) => clockTime(createdAtMs),
    order: ({ createdAtMs }) => createdAtMs,
  },
];

/** Mediated devices: what the parents offer, the instances, create and remove, and what happened when. */
export class MdevsPanel implements Panel {
  private readonly note = byId('mdevs-note', HTMLElement);
  private readonly types: MdevTypes;
  private readonly table: DataTable<MdevSnapshot>;
  private readonly empty = el('p', { class: 'empty' });
  private readonly remove = el('button', { class: 'action', text: 'Remove', attrs: { type: 'button' } });
  private readonly chosen = el('span', { class: 'muted' });
  private readonly answer = el('p', { class: 'answer', attrs: { role: 'status' } });
  private readonly timeLine = el('ol', {
    class: 'time-line scroll',
    attrs: { 'aria-label': 'Time line of mdev states', tabindex: '0' },
  });
  private drawnEvents = '';
  private frame: Frame | undefined;

  constructor(
    private readonly actions: PageActions,
    private readonly confirm: Confirm,
  ) {
    this.types = new MdevTypes((type) => void this.create(type));
    this.table = new DataTable(
      COLUMNS,
      ({ uuid }) => uuid,
      { key: 'created', isDescending: true },
      () => actions.invalidate(),
      {
        onChoose: () => actions.invalidate(),
      },
    );
    this.remove.addEventListener('click', () => void this.removeChosen());
    byId('mdevs', HTMLElement).append(
      el(
        'div',
        { class: 'mdev-side' },
        this.types.root,
        el('h3', { text: 'Time line, newest first' }),
        this.timeLine,
      ),
      el(
        'div',
        { class: 'mdev-main' },
        el('p', { class: 'mdev-actions' }, this.remove, this.chosen, this.answer),
        el(
          'div',
          {
            class: 'scroll mdev-table',
            attrs: { role: 'region', 'aria-label': 'mdev table', tabindex: '0' },
          },
          this.table.root,
          this.empty,
        ),
      ),
    );
  }

  render(frame: Frame): void {
    this.frame = frame;
    const { store } = frame;
    const mdevs = [...store.mdevs.values()];
    setText(this.note, store.status === undefined ? '' : `${plural(mdevs.length, 'instance')}`);
    this.types.render(store.mdevTypes, mdevs, store.isAdmin === true);
    this.table.render(mdevs);
    this.empty.hidden = mdevs.length > 0;
    setText(
      this.empty,
      store.status === undefined
        ? 'Instances appear here once the service answers.'
        : 'No mediated device exists. Create one of a type on the left, or: warpdrive mdev create <type>',
    );
    const { chosenKey } = this.table;
    this.remove.disabled = chosenKey === undefined || !store.mdevs.has(chosenKey);
    setText(this.chosen, this.remove.disabled ? 'Choose an instance to remove it.' : (chosenKey ?? ''));
    this.drawTimeLine(frame);
  }

  private drawTimeLine({ store }: Frame): void {
    const events = store.mdevEvents.slice(-EVENTS_SHOWN).toReversed();
    const key = events.map(({ atMs, state }) => `${atMs}${state}`).join();
    if (key === this.drawnEvents) return;
    this.drawnEvents = key;
    this.timeLine.replaceChildren(
      ...events.map(({ atMs, uuid, state }) =>
        el(
          'li',
          {},
          el('span', { class: 'num', text: clockTime(atMs, true) }),
          el('b', { text: state }),
          el('code', { text: uuid.slice(0, 8), title: uuid }),
        ),
      ),
    );
  }

  private isAdmin(): boolean {
    if (this.frame?.store.isAdmin === true) return true;
    setText(this.answer, 'Creating and removing needs the admin token.');
    this.actions.askToken();
    return false;
  }

  private async create(type: string): Promise<void> {
    if (!this.isAdmin() || this.frame === undefined) return;
    const outcome = await this.frame.service.api.createMdev(type);
    setText(this.answer, outcome.ok ? `Created one instance of ${type}.` : `Refused. ${outcome.words}`);
  }

  private async removeChosen(): Promise<void> {
    const uuid = this.table.chosenKey;
    if (uuid === undefined || !this.isAdmin() || this.frame === undefined) return;
    const { api } = this.frame.service;
    const isSure = await this.confirm.ask({
      title: 'Remove this mdev?',
      text: `${uuid} gives its queue pair back to its parent. One that is in use is refused.`,
      yes: 'Remove',
    });
    if (!isSure) return;
    const outcome = await api.removeMdev(uuid);
    setText(this.answer, outcome.ok ? `Removed ${uuid}.` : `Refused. ${outcome.words}`);
  }
}
