import { PAGE_RESPONSES, type PageResponse } from '../../../../shared/src/telemetry.ts';
import { type TreeLine, treeOf } from '../store/iommu-tree.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { age, count, dataSize, percent, plural } from '../widgets/format.ts';
import type { Confirm } from './confirm.ts';
import type { Frame, PageActions, Panel } from './panel.ts';

/** Groups → devices → address spaces → domains, the translation cache, and the transactions that wait for pages. */
export class IommuPanel implements Panel {
  private readonly note = byId('iommu-note', HTMLElement);
  private readonly empty = el('p', { class: 'empty' });
  private readonly tiles = el('dl', { class: 'iommu-tiles' });
  private readonly figures = new Map<string, HTMLElement>();
  private readonly tree = el('ul', {
    class: 'tree scroll',
    attrs: { 'aria-label': 'IOMMU groups', tabindex: '0' },
  });
  private readonly stalls = el('div', { class: 'stalls' });
  private readonly answer = el('p', { class: 'answer', attrs: { role: 'status' } });
  private drawnTree = '';
  private drawnStalls = '';
  private frame: Frame | undefined;

  constructor(
    private readonly actions: PageActions,
    private readonly confirm: Confirm,
  ) {
    byId('iommu', HTMLElement).append(this.empty, this.tiles, this.tree, this.stalls, this.answer);
  }

  render(frame: Frame): void {
    this.frame = frame;
    const iommu = frame.reading?.iommu;
    for (const part of [this.tiles, this.tree, this.stalls]) part.hidden = iommu === undefined;
    this.empty.hidden = iommu !== undefined;
    setText(
      this.empty,
      frame.reading === undefined
        ? 'The tree appears here once the service answers.'
        : 'Waiting for the next reading. A service without an IOMMU model sends none.',
    );
    if (iommu === undefined) {
      setText(this.note, '');
      return;
    }
    setText(this.note, frame.store.isAdmin === true ? 'PASIDs shown' : 'PASIDs hidden: admin token (A)');
    const { rates } = frame.reading ?? {};
    const { iotlb, pageRequests, events, stalls } = iommu;
    const answered = pageRequests.success + pageRequests.invalid + pageRequests.failure;
    this.figure(
      'IOTLB hits',
      percent(rates?.iotlbHitRatio ?? Number.NaN),
      `${count(iotlb.entries)} entries, ${count(iotlb.invalidations)} invalidations`,
    );
    this.figure(
      'Page requests',
      `${count(answered)}`,
      `${count(pageRequests.success)} served, ${count(pageRequests.invalid + pageRequests.failure)} refused`,
    );
    this.figure(
      'Stalled now',
      count(stalls.length),
      stalls.length === 0 ? 'none waits' : `oldest ${age(Math.max(...stalls.map(({ ageMs }) => ageMs)))}`,
    );
    this.figure(
      'Event records',
      count(events.recorded),
      events.lost === 0 ? 'none lost' : `${count(events.lost)} pushed out`,
    );
    this.drawTree(treeOf(iommu));
    this.drawStalls(frame);
  }

  private figure(name: string, value: string, note: string): void {
    let shown = this.figures.get(name);
    if (shown === undefined) {
      shown = el('dd');
      this.figures.set(name, shown);
      shown.append(el('b'), el('span', { class: 'muted' }));
      this.tiles.append(el('div', {}, el('dt', { text: name }), shown));
    }
    const [figure, detail] = shown.children;
    if (figure instanceof HTMLElement) setText(figure, value);
    if (detail instanceof HTMLElement) setText(detail, note);
  }

  private drawTree(lines: readonly TreeLine[]): void {
    const key = JSON.stringify(lines);
    if (key === this.drawnTree) return;
    this.drawnTree = key;
    this.tree.replaceChildren(
      ...lines.map(({ depth, label, kind, note, bytes }) =>
        el(
          'li',
          {
            class: `tree-line tree-${kind}${bytes === undefined ? ' is-short' : ''}`,
            attrs: { 'data-depth': String(depth) },
          },
          el('span', { class: 'tree-label', text: label, title: label }),
          el('span', { class: 'muted tree-note', text: note, title: note }),
          el('span', { class: 'num', text: bytes === undefined ? '' : `${dataSize(bytes)} mapped` }),
        ),
      ),
    );
  }

  private drawStalls({ reading, store }: Frame): void {
    const stalls = reading?.iommu?.stalls ?? [];
    const key = `${store.isAdmin} ${stalls.map(({ stag }) => stag).join()}`;
    if (key !== this.drawnStalls) {
      this.drawnStalls = key;
      this.stalls.replaceChildren(
        ...(stalls.length === 0
          ? []
          : [el('h3', { text: `${plural(stalls.length, 'transaction')} waiting for a page` })]),
        ...stalls.slice(0, 20).map(({ stag, iova, access, device, pasid }) => {
          const buttons = PAGE_RESPONSES.map((response) => {
            const button = el('button', {
              class: 'action',
              text: response,
              attrs: { type: 'button', 'aria-label': `Answer ${response} to the ${access} at ${iova}` },
            });
            button.addEventListener('click', () => void this.respond(stag, iova, response));
            return button;
          });
          return el(
            'p',
            { class: 'stall' },
            el('b', { class: 'num stall-age', attrs: { 'data-stag': String(stag) } }),
            el('code', { text: `${access} ${iova}` }),
            el('span', {
              class: 'muted',
              text: `${device}${pasid === undefined ? '' : ` · PASID ${pasid}`}`,
            }),
            el('span', { class: 'stall-answers' }, ...buttons),
          );
        }),
      );
    }
    for (const shown of this.stalls.querySelectorAll<HTMLElement>('.stall-age')) {
      const stall = stalls.find(({ stag }) => String(stag) === shown.dataset['stag']);
      if (stall !== undefined) setText(shown, age(stall.ageMs));
    }
  }

  private async respond(stag: number, iova: string, response: PageResponse): Promise<void> {
    if (this.frame?.store.isAdmin !== true) {
      this.actions.askToken();
      return;
    }
    const { api } = this.frame.service;
    const isSure = await this.confirm.ask({
      title: `Answer ${response}?`,
      text: `The transaction at ${iova} ${response === 'success' ? 'goes on if a page is mapped there' : 'is aborted and its job fails'}.`,
      yes: `Answer ${response}`,
    });
    if (!isSure) return;
    const outcome = await api.answerStall(stag, response);
    setText(this.answer, outcome.ok ? `Answered ${response}.` : outcome.words);
  }
}
