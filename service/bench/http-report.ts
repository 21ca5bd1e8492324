export interface Figures {
  server: string;
  bytes: number;
  requestsPerSec: number;
  megabytesPerSec: number;
  cpuSecondsPerGb: number;
  p50Us: number;
  p99Us: number;
  /** Input over output; null for servers that do not compress. */
  ratio: number | null;
}

const BASELINE = 'Express + createGzip';
const CEILING = 'node:http + count';

const sizeText = (bytes: number): string =>
  bytes >= 1 << 20 ? `${bytes / (1 << 20)} MiB` : `${bytes / 1024} KiB`;

function row(figures: Figures, all: readonly Figures[]): string {
  const over = (server: string) => {
    const other = all.find((f) => f.server === server && f.bytes === figures.bytes);
    return other === undefined ? undefined : figures.requestsPerSec / other.requestsPerSec;
  };
  const times = over(BASELINE);
  const share = over(CEILING);
  const cells = [
    figures.server,
    figures.requestsPerSec.toFixed(0),
    figures.megabytesPerSec.toFixed(1),
    figures.cpuSecondsPerGb.toFixed(figures.cpuSecondsPerGb < 10 ? 2 : 1),
    (figures.p50Us / 1000).toFixed(2),
    (figures.p99Us / 1000).toFixed(2),
    figures.ratio?.toFixed(2) ?? '–',
    times === undefined ? '–' : `${times.toFixed(2)} ×`,
    share === undefined ? '–' : `${(share * 100).toFixed(0)} %`,
  ];
  return `| ${cells.join(' | ')} |\n`;
}

/** A table for each body size. */
export function markdown(machine: Readonly<Record<string, string>>, figures: readonly Figures[]): string {
  const facts = Object.entries(machine).map(([key, value]) => `${key}: ${value}`);
  let text = `POST /v1/compress?format=gzip&level=1; ${facts.join('; ')}\n`;
  for (const bytes of new Set(figures.map((f) => f.bytes))) {
    text +=
      `\n### ${sizeText(bytes)}\n\n` +
      '| server | req/s | MB/s in | CPU s per GB in | p50 ms | p99 ms | ratio | × Express + createGzip | of node:http + count |\n' +
      '|---|--:|--:|--:|--:|--:|--:|--:|--:|\n';
    for (const f of figures.filter((one) => one.bytes === bytes)) text += row(f, figures);
  }
  return text;
}
