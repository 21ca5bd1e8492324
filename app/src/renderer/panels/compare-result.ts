import type { BenchRun } from '../../../../shared/src/bench.ts';
import { type Compared, compare } from '../store/comparison.ts';
import type { Palette } from '../theme/palette.ts';
import { el } from '../widgets/dom.ts';
import { duration, figure, multipleWords, percent } from '../widgets/format.ts';
import { SizeCurve } from '../widgets/size-curve.ts';

/** One run as bars with the multiple written on them, and as a curve over the job sizes. */
export class CompareResult {
  private readonly bars = el('div', {
    class: 'bars scroll',
    attrs: { tabindex: '0', role: 'region', 'aria-label': 'Results as bars' },
  });
  private readonly canvas = el('canvas', {
    attrs: { role: 'img', 'aria-label': 'Throughput over job size, engine and software' },
  });
  private readonly curve = new SizeCurve(this.canvas);
  readonly root = el(
    'div',
    { class: 'compare-result' },
    this.bars,
    el(
      'figure',
      { class: 'size-curve' },
      el('figcaption', { text: 'MB/s over job size: solid engine, dashed node:zlib' }),
      el('div', { class: 'chart' }, this.canvas),
    ),
  );
  private drawn = '';

  render(run: BenchRun | undefined, palette: Palette): void {
    this.root.hidden = run === undefined || run.rows.length === 0;
    if (run === undefined || run.rows.length === 0) return;
    const key = `${run.id} ${run.rows.length} ${palette.text} ${this.canvas.clientWidth}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const rows = compare(run);
    const top = Math.max(...rows.map(({ mbPerSec }) => mbPerSec));
    const groups = new Map<string, Compared[]>();
    for (const row of rows) {
      const title = `${row.processes} × ${row.processes}, ${sizeWords(row.jobBytes)}`;
      groups.set(title, [...(groups.get(title) ?? []), row]);
    }
    this.bars.replaceChildren(
      ...[...groups].map(([title, group]) =>
        el(
          'section',
          { class: 'bar-group' },
          el('h3', { text: title }),
          ...group.map((row) => barOf(row, top)),
        ),
      ),
    );
    this.curve.draw(rows, palette);
  }

  dispose(): void {
    this.curve.dispose();
  }
}

function barOf(row: Compared, top: number): HTMLElement {
  const fill = el('i', { class: row.isBaseline ? 'bar-fill bar-software' : 'bar-fill' });
  fill.style.width = `${((row.mbPerSec / top) * 100).toFixed(1)}%`;
  const multiple = row.isBaseline
    ? 'baseline'
    : row.multiple === undefined
      ? ''
      : multipleWords(row.multiple);
  const detail = `${figure(row.jobsPerSec)} jobs/s, mean ${duration(row.meanUs)}, p99 ${duration(row.p99Us)}, CPU ${percent(row.cpuPercent / 100)} of a core (${figure(row.cpuMsPerMb)} ms a MB), ratio ${figure(row.ratio)}${row.failures === 0 ? '' : `, ${row.failures} failed`}`;
  return el(
    'p',
    { class: 'bar-row', title: detail },
    el('span', { class: 'bar-name', text: row.scenario }),
    el('span', { class: 'bar-track' }, fill),
    el('b', { class: 'num', text: `${figure(row.mbPerSec)} MB/s` }),
    el('b', { class: row.isBaseline ? 'num muted' : 'num bar-multiple', text: multiple }),
    el('span', { class: 'muted num bar-cpu', text: `${figure(row.cpuMsPerMb)} ms CPU/MB` }),
  );
}

/** A power of two as people say it: `2 KiB`, `1 MiB`. */
export const sizeWords = (bytes: number): string =>
  bytes >= 1_048_576
    ? `${figure(bytes / 1_048_576).replace(/\.00$/, '')} MiB`
    : bytes >= 1024
      ? `${Math.round((bytes / 1024) * 10) / 10} KiB`
      : `${bytes} B`;
