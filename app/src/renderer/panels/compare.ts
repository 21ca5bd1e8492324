import { BENCH_EXPERIMENTS, type BenchExperiment, type BenchRun } from '../../../../shared/src/bench.ts';
import { exportRuns } from '../export/files.ts';
import type { SaveFile } from '../export/save.ts';
import { mergeRuns } from '../store/comparison.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { plural } from '../widgets/format.ts';
import { recall, remember } from '../widgets/storage.ts';
import { CompareResult } from './compare-result.ts';
import type { Frame, PageActions, Panel } from './panel.ts';

const KEPT_RUNS = 50;
const STORAGE_KEY = 'warpdrive.runs';
const TITLES: Record<BenchExperiment, string> = {
  sizes: '2 KiB to 1 MiB, one queue',
  deck: 'The deck: 1 × 1 and 3 × 3',
};

/** Comparison runs: start, progress, cancel, the result as bars and curve, and what was measured before. */
export class ComparePanel implements Panel {
  private readonly note = byId('compare-note', HTMLElement);
  private readonly choice = el('select', { class: 'select', attrs: { 'aria-label': 'Experiment' } });
  private readonly start = el('button', {
    class: 'action action-main',
    text: 'Run',
    attrs: { type: 'button' },
  });
  private readonly cancel = el('button', { class: 'action', text: 'Cancel', attrs: { type: 'button' } });
  private readonly save = el('button', { class: 'action', text: 'Export run', attrs: { type: 'button' } });
  private readonly progress = el('progress', { attrs: { 'aria-label': 'Progress of the run', max: '1' } });
  private readonly progressWords = el('span', { class: 'muted' });
  private readonly progressRow = el(
    'p',
    { class: 'progress-row', attrs: { role: 'status' } },
    this.progress,
    this.progressWords,
  );
  private readonly answer = el('p', { class: 'answer', attrs: { role: 'status' } });
  private readonly history = el('select', { class: 'select', attrs: { 'aria-label': 'Earlier runs' } });
  private readonly empty = el('p', { class: 'empty' });
  private readonly result = new CompareResult();
  private stored = storedRuns();
  private chosen: string | undefined;
  private frame: Frame | undefined;
  private listed = '';

  constructor(
    private readonly actions: PageActions,
    private readonly saveFile: SaveFile,
  ) {
    for (const experiment of BENCH_EXPERIMENTS)
      this.choice.append(el('option', { text: TITLES[experiment], attrs: { value: experiment } }));
    this.start.addEventListener('click', () => void this.run());
    this.cancel.addEventListener('click', () => void this.stop());
    this.save.addEventListener('click', () => void this.exportRun());
    this.history.addEventListener('change', () => {
      this.chosen = this.history.value;
      actions.invalidate();
    });
    byId('compare-actions', HTMLElement).append(
      this.choice,
      this.start,
      this.cancel,
      this.history,
      this.save,
    );
    byId('compare', HTMLElement).append(this.progressRow, this.answer, this.empty, this.result.root);
  }

  render(frame: Frame): void {
    this.frame = frame;
    const live = frame.store.bench;
    const runs = mergeRuns(this.stored, live?.values() ?? [], KEPT_RUNS);
    const running =
      live === undefined ? undefined : [...live.values()].findLast(({ outcome }) => outcome === 'running');
    this.keepEnded(runs);
    this.start.disabled = running !== undefined || live === undefined || frame.connection.kind !== 'live';
    this.cancel.hidden = running === undefined;
    this.progressRow.hidden = running === undefined;
    if (running !== undefined) {
      const { done, total, what } = running.progress;
      this.progress.value = total === 0 ? 0 : done / total;
      setText(this.progressWords, `${done} of ${total || '?'} · ${what}`);
    }
    this.list(runs);
    const shown = running ?? runs.find(({ id }) => id === this.chosen) ?? runs.at(-1);
    this.save.hidden = shown === undefined || shown.rows.length === 0;
    this.empty.hidden = shown !== undefined;
    setText(this.empty, emptyWords(frame, live !== undefined));
    setText(this.note, shown === undefined ? '' : runWords(shown));
    this.result.render(shown, frame.palette);
  }

  dispose(): void {
    this.result.dispose();
  }

  private list(runs: readonly BenchRun[]): void {
    const key = runs.map(({ id, outcome }) => `${id}${outcome}`).join();
    this.history.hidden = runs.length < 2;
    if (key === this.listed) return;
    this.listed = key;
    this.history.replaceChildren(
      ...runs.toReversed().map((run) =>
        el('option', {
          text: `${dateOf(run)} ${run.request.experiment} ${run.outcome}`,
          attrs: { value: run.id },
        }),
      ),
    );
    const isThere = runs.some(({ id }) => id === this.chosen);
    if (!isThere) this.chosen = undefined;
    this.history.value = this.chosen ?? runs.at(-1)?.id ?? '';
  }

  private keepEnded(runs: readonly BenchRun[]): void {
    const ended = runs.filter(({ outcome, rows }) => outcome !== 'running' && rows.length > 0);
    if (ended.length === this.stored.length && ended.every(({ id }, i) => this.stored[i]?.id === id)) return;
    this.stored = ended;
    remember(STORAGE_KEY, ended);
  }

  private async run(): Promise<void> {
    const { frame } = this;
    if (frame === undefined) return;
    if (frame.store.isAdmin !== true) {
      setText(this.answer, 'A run needs the administrator: it takes the machine’s CPU for some seconds.');
      this.actions.askToken();
      return;
    }
    this.chosen = undefined;
    const outcome = await frame.service.api.startBench({ experiment: this.choice.value as BenchExperiment });
    setText(this.answer, outcome.ok ? '' : outcome.words);
  }

  private async stop(): Promise<void> {
    const running = [...(this.frame?.store.bench?.values() ?? [])].findLast(
      ({ outcome }) => outcome === 'running',
    );
    if (this.frame === undefined || running === undefined) return;
    const outcome = await this.frame.service.api.cancelBench(running.id);
    setText(this.answer, outcome.ok ? '' : outcome.words);
  }

  private async exportRun(): Promise<void> {
    const runs = mergeRuns(this.stored, this.frame?.store.bench?.values() ?? [], KEPT_RUNS);
    const run = runs.find(({ id }) => id === this.history.value) ?? runs.at(-1);
    if (run !== undefined) await this.saveFile(exportRuns([run]));
  }
}

const dateOf = ({ startedAtMs }: BenchRun) => new Date(startedAtMs).toLocaleString('sv-SE').slice(0, 16);

const runWords = ({ machine, outcome, error, request, ...run }: BenchRun) =>
  `${outcome}${error === undefined ? '' : `: ${error}`} · ${dateOf({ ...run, machine, outcome, request })} · ${plural(machine.cpus, 'CPU')} ${machine.model}, Node ${machine.node}, core ${machine.core}, load ${machine.loadAverage.toFixed(1)} at start, ${request.seconds} s each`;

function emptyWords(frame: Frame, canRun: boolean): string {
  if (frame.store.status === undefined) return 'Runs appear here once the service answers.';
  if (!canRun)
    return 'This service offers no comparison runs. On the command line: warpdrive bench --experiment deck';
  return 'No run yet. Press Run: the engine’s queue and node:zlib compress the same JSON lines in turns, size by size, each for a second, on the service’s machine.';
}

/** Runs that an earlier page kept; anything that does not look like one is left out. */
function storedRuns(): BenchRun[] {
  const stored = recall(STORAGE_KEY);
  return (Array.isArray(stored) ? (stored as unknown[]) : []).filter(
    (run): run is BenchRun =>
      typeof run === 'object' &&
      run !== null &&
      'id' in run &&
      'rows' in run &&
      Array.isArray(run.rows) &&
      'machine' in run &&
      'request' in run,
  );
}
