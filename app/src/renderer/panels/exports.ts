import { linkTo } from '../connection/endpoint.ts';
import { exportFaultsCsv, exportFaultsJson, exportHistory, exportJson } from '../export/files.ts';
import { exportPicture } from '../export/picture.ts';
import type { SaveFile } from '../export/save.ts';
import type { Services } from '../services.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { clockTime, plural } from '../widgets/format.ts';
import type { FaultsPanel } from './faults.ts';
import type { Frame } from './panel.ts';

interface ExportDeps {
  frame(): Frame;
  services: Services;
  faults: FaultsPanel;
  save: SaveFile;
}

/** What a person can take away: the figures in sight, the charts, the faults, one reading, a link to this view. */
export class ExportSheet {
  private readonly dialog = byId('export-sheet', HTMLDialogElement);
  private readonly what = el('p', { class: 'muted' });
  private readonly answer = el('p', { class: 'answer', attrs: { role: 'status' } });

  constructor(private readonly deps: ExportDeps) {
    const choices: [string, string, () => Promise<string>][] = [
      ['Figures as CSV', 'the time range in sight, one line a reading, base units', () => this.figures()],
      ['Charts as PNG', 'the charts in sight at twice their size', () => this.picture()],
      ['Faults as CSV', 'the fault log as it is filtered now', () => this.faults('csv')],
      ['Faults as JSON lines', 'the same, as the service sent them', () => this.faults('json')],
      ['This reading as JSON', 'every figure of this moment', () => this.reading()],
      ['Copy a link', 'this view of these services', () => this.link()],
    ];
    const list = el('ul', { class: 'choices' });
    for (const [label, hint, run] of choices) {
      const button = el('button', { class: 'action', text: label, attrs: { type: 'button' } });
      button.addEventListener('click', () => void this.run(run));
      list.append(el('li', {}, button, el('span', { class: 'muted', text: hint })));
    }
    const close = el('button', { class: 'action', text: 'Close', attrs: { type: 'button' } });
    close.addEventListener('click', () => this.dialog.close());
    this.dialog.append(
      el('h2', { text: 'Export', attrs: { id: 'export-title' } }),
      this.what,
      list,
      this.answer,
      el('div', { class: 'sheet-actions' }, close),
    );
  }

  open(): void {
    if (this.dialog.open) return;
    const { window, service } = this.deps.frame();
    setText(this.what, `${service.endpoint.label}, ${clockTime(window.fromMs)} to ${clockTime(window.toMs)}`);
    setText(this.answer, '');
    this.dialog.showModal();
  }

  private async run(make: () => Promise<string>): Promise<void> {
    try {
      setText(this.answer, await make());
    } catch (error) {
      setText(this.answer, `Not saved: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async figures(): Promise<string> {
    const { store, window } = this.deps.frame();
    return words(await this.deps.save(exportHistory(store.history, window)), 'The figures');
  }

  private async picture(): Promise<string> {
    const { window, palette, service } = this.deps.frame();
    const charts = [...document.querySelectorAll<HTMLCanvasElement>('.chart canvas')]
      .filter((canvas) => canvas.checkVisibility())
      .map((canvas) => ({
        canvas,
        title: `${canvas.getAttribute('aria-label') ?? ''} · ${service.endpoint.label} · ${clockTime(window.fromMs)} to ${clockTime(window.toMs)}`,
      }));
    if (charts.length === 0) return 'No chart is in sight. Show the overview (1) or the charts (4) first.';
    return words(
      await this.deps.save(await exportPicture(charts, 'charts', window.toMs, palette)),
      plural(charts.length, 'chart'),
    );
  }

  private async faults(kind: 'csv' | 'json'): Promise<string> {
    const { nowMs } = this.deps.frame();
    const faults = this.deps.faults.listed();
    if (faults.length === 0) return 'There is no fault to export.';
    const file = kind === 'csv' ? exportFaultsCsv(faults, nowMs) : exportFaultsJson(faults, nowMs);
    return words(await this.deps.save(file), plural(faults.length, 'fault'));
  }

  private async reading(): Promise<string> {
    const { reading, store, nowMs } = this.deps.frame();
    if (reading === undefined) return 'There is no reading yet.';
    const content = { status: store.status, reading, mdevs: [...store.mdevs.values()] };
    return words(await this.deps.save(exportJson('reading', nowMs, content)), 'The reading');
  }

  private async link(): Promise<string> {
    const link = linkTo(
      location.href,
      this.deps.services.list.map(({ endpoint }) => endpoint),
    );
    await navigator.clipboard.writeText(link);
    return `Copied: ${link}`;
  }
}

const words = (outcome: 'saved' | 'cancelled', what: string) =>
  outcome === 'saved' ? `${what} saved.` : 'Cancelled.';
