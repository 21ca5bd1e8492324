import { arch, cpus, platform, release } from 'node:os';
import { FIGURES, type Figure, type Sample } from './samples.ts';

export interface Verdict {
  /** What was promised, in words. */
  claim: string;
  measured: string;
  holds: boolean;
}

const WIDTH = 720;
const HEIGHT = 120;

/** One HTML file without scripts: verdicts, then a line chart for each figure. */
export function htmlReport(title: string, verdicts: readonly Verdict[], samples: readonly Sample[]): string {
  const machine = `${cpus()[0]?.model.trim() ?? arch()}, ${cpus().length} cores, ${platform()} ${release()}, Node ${process.version}`;
  const rows = verdicts.map(
    ({ claim, measured, holds }) =>
      `<tr><td>${holds ? 'holds' : '<strong>broken</strong>'}</td><td>${escapeHtml(claim)}</td><td>${escapeHtml(measured)}</td></tr>`,
  );
  const charts = (Object.keys(FIGURES) as Figure[]).map((figure) => chart(figure, samples));
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>body{font:14px system-ui;margin:2rem auto;max-width:${WIDTH + 40}px;color:#1c2733}td{padding:.2rem .8rem .2rem 0}
svg{border:1px solid #c8d1da;width:100%}polyline{fill:none;stroke:#0b62a8;stroke-width:1.5}h2{font-size:1rem;margin:1.2rem 0 .3rem}</style>
<h1>${escapeHtml(title)}</h1><p>${new Date().toISOString()} · ${escapeHtml(machine)}</p>
<table><tr><th>verdict</th><th>claim</th><th>measured</th></tr>${rows.join('\n')}</table>
${charts.join('\n')}
</html>
`;
}

/** The same for a terminal and for docs. */
export const markdownReport = (verdicts: readonly Verdict[]): string =>
  ['| claim | measured | |', '|---|---|---|']
    .concat(
      verdicts.map(
        ({ claim, measured, holds }) => `| ${claim} | ${measured} | ${holds ? 'holds' : '**broken**'} |`,
      ),
    )
    .join('\n');

function chart(figure: Figure, samples: readonly Sample[]): string {
  const values = samples.map((sample) => sample[figure]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const lastMs = samples.at(-1)?.atMs ?? 1;
  const points = samples.map(({ atMs, [figure]: value }) => {
    const x = (atMs / lastMs) * WIDTH;
    const y = HEIGHT - 5 - ((value - least) / (most - least || 1)) * (HEIGHT - 10);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const shown = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 1 });
  const label = `${FIGURES[figure]}: ${shown(least)} to ${shown(most)} in ${shown(lastMs / 60_000)} minutes`;
  return `<h2>${label}</h2>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}"><polyline points="${points.join(' ')}"/></svg>`;
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
