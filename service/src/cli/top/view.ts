import { bytesText, tableText } from '../text.ts';
import { arrange, COLUMNS } from './columns.ts';
import { type FeedState, SILENT_AFTER_MS } from './feed.ts';
import type { CoreRates, Reading } from './model.ts';

export type Style = 'plain' | 'bold' | 'dim' | 'alert' | 'good' | 'header';
export interface Line {
  text: string;
  style: Style;
  /** Its items, two spaces apart, go on in the next line where the screen is too narrow; else it is cut. */
  wraps?: true;
}

/** What the person chose. */
export interface Choices {
  sort: number;
  reverse: boolean;
  filter: string;
  /** The filter is being typed. */
  isTyping: boolean;
  isPaused: boolean;
  isHelp: boolean;
  scroll: number;
  /** Columns behind the first that a narrow screen leaves out. */
  skipped: number;
  intervalMs: number;
}

export interface ViewInput {
  url: string;
  state: FeedState;
  reading: Reading | undefined;
  choices: Choices;
  nowMs: number;
  /** Of the local clock, when the reading came. */
  readAtMs: number | undefined;
}

const BAR_CELLS = 20;
const FAULT_LINES = 3;
const MAX_CORE_LINES = 8;

const HELP = [
  'q, Ctrl-C    quit',
  'space        pause: the screen stands still, the service goes on',
  's, S         order by the next, the previous column',
  'r            reverse the order',
  '/            filter the queues: all words must occur; Enter keeps, Esc drops it',
  '+, -         look more, less often',
  '↑, ↓         scroll the queues',
  '←, →         scroll their columns, on a screen too narrow for all',
  '?            this help',
];

const line = (text: string, style: Style = 'plain'): Line => ({ text, style });
const items = (text: string, style: Style = 'plain'): Line => ({ text, style, wraps: true });

/** Names come from other processes: what could move the cursor or colour the terminal is shown as a dot. */
export const printable = (text: string): string => text.replace(/[^\u0020-\u007e\u00a0-\uffff]/g, '·');

/** The whole screen as lines, not yet cut to the terminal. */
export function view(input: ViewInput): Line[] {
  const { reading, choices } = input;
  const lines = [stateLine(input)];
  if (choices.isHelp) return [...lines, line(''), ...HELP.map((text) => line(`  ${text}`))];
  if (reading === undefined) return lines;
  lines.push(...totals(reading), line(''), ...cores(reading.cores), line(''), ...queues(reading, choices));
  if (reading.faults.length > 0) lines.push(line(''), ...faults(reading));
  return lines.map((one) => ({ ...one, text: printable(one.text) }));
}

/** The last line of the screen. */
export function footer({ choices }: ViewInput): Line {
  if (choices.isTyping) return line(`filter: ${printable(choices.filter)}_`, 'bold');
  const filter = choices.filter === '' ? '/ filter' : `/ filter "${printable(choices.filter)}"`;
  return line(
    `q quit  space ${choices.isPaused ? 'go on' : 'pause'}  s sort  r reverse  ${filter}  ? help`,
    'dim',
  );
}

function stateLine({ url, state, choices, nowMs, readAtMs }: ViewInput): Line {
  const age = readAtMs === undefined ? 'no figures yet' : `figures are ${seconds(nowMs - readAtMs)} old`;
  const at = `warpdrive top  ${url}  `;
  if (choices.isPaused) return line(`${at}PAUSED, ${age}`, 'alert');
  switch (state.kind) {
    case 'connecting':
      return line(`${at}connecting`, 'bold');
    case 'live':
      return readAtMs !== undefined && nowMs - readAtMs > SILENT_AFTER_MS + choices.intervalMs
        ? line(`${at}STALE, ${age}`, 'alert')
        : line(`${at}live`, 'good');
    case 'silent':
      return line(`${at}STALE: the service is silent, ${age}`, 'alert');
    case 'reconnecting':
      return line(
        `${at}RECONNECTING in ${seconds(Math.max(0, state.retryAtMs - nowMs))}: ${state.reason}; ${age}`,
        'alert',
      );
  }
}

function totals({ status, sample, rates, droppedSamples }: Reading): Line[] {
  const { totals: all, iommu } = sample;
  const ratio = rates.bytesOut > 0 ? (rates.bytesIn / rates.bytesOut).toFixed(2) : '–';
  const lookups = (iommu?.iotlb.hits ?? 0) + (iommu?.iotlb.misses ?? 0);
  const hits = lookups === 0 ? '–' : `${(((iommu?.iotlb.hits ?? 0) / lookups) * 100).toFixed(1)} %`;
  const phase = status.draining ? 'draining' : status.ready ? 'ready' : 'not ready';
  return [
    items(
      `version ${status.version}  process ${status.pid}  ${phase}  mode ${status.mode}  core ${status.core}` +
        `${status.emulated ? ' (emulated device)' : ''}  up ${seconds(sample.atMs - status.startedAtMs)}`,
    ),
    items(
      `in ${perSecond(rates.bytesIn)}  out ${perSecond(rates.bytesOut)}  in:out ${ratio}  ` +
        `jobs ${count(rates.operations)}/s  requests ${count(rates.requests)}/s  failed ${count(rates.failures)}/s`,
      'bold',
    ),
    items(
      `streams ${all.activeStreams}  requests ${count(all.requests)}  fallbacks ${count(all.fallbacks)}  ` +
        `faults ${count(all.faults)}  IOTLB hits ${hits}  stalls ${iommu?.stalls.length ?? 0}  ` +
        `loop delay ${sample.eventLoopDelayMs.toFixed(1)} ms  RSS ${bytesText(sample.rssBytes)}` +
        `${droppedSamples > 0 ? `  samples missed ${droppedSamples}` : ''}`,
    ),
  ];
}

function cores(all: readonly CoreRates[]): Line[] {
  const shown = all.slice(0, MAX_CORE_LINES).map(({ device, core, jobsPerSec, busyRatio }) => {
    const full = Math.round(busyRatio * BAR_CELLS);
    const bar = `${'|'.repeat(full)}${' '.repeat(BAR_CELLS - full)}`;
    const percent = `${Math.round(busyRatio * 100)} %`.padStart(5);
    return line(
      `${device} core ${String(core.id).padStart(2)} ${core.name.padEnd(4)} ${core.where.padEnd(6)} [${bar}] ${percent}  ` +
        `${count(jobsPerSec)} jobs/s`,
    );
  });
  const rest = all.length - shown.length;
  return rest > 0 ? [...shown, line(`and ${rest} more cores`, 'dim')] : shown;
}

function queues(reading: Reading, choices: Choices): Line[] {
  const rows = arrange(reading.queues, choices);
  const shown = COLUMNS.filter((_, i) => i === 0 || i > choices.skipped);
  const titles = shown.map((column) =>
    column === COLUMNS[choices.sort] ? `${column.title}${choices.reverse ? '^' : 'v'}` : column.title,
  );
  const [head = '', ...body] = tableText(
    titles,
    rows.map((row) => shown.map(({ text }) => text(row))),
  )
    .trimEnd()
    .split('\n');
  const hidden = reading.queues.length - rows.length;
  return [
    line(head, 'header'),
    ...body.slice(Math.min(choices.scroll, Math.max(0, body.length - 1))).map((text) => line(text)),
    ...(hidden > 0 ? [line(`${hidden} queues do not match the filter`, 'dim')] : []),
  ];
}

const faults = ({ faults: all }: Reading): Line[] => [
  line('LAST FAULTS', 'header'),
  ...all
    .slice(-FAULT_LINES)
    .reverse()
    .map((fault) =>
      line(
        `${new Date(fault.atMs).toISOString()}  ${fault.device}  ${fault.event}  ${fault.access} ${fault.iova}  ` +
          `${fault.outcome}: ${fault.reason}`,
      ),
    ),
];

const count = (value: number): string => Math.round(value).toLocaleString('en');
const perSecond = (bytes: number): string => `${bytesText(Math.round(bytes))}/s`;

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function seconds(ms: number): string {
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
