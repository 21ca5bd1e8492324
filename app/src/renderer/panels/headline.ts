import { byId, el, setText, setTitle } from '../widgets/dom.ts';
import { count, dataSize, durationPair, figure, megabytes, percent, plural } from '../widgets/format.ts';
import { Sparkline, type SparkSpec } from '../widgets/sparkline.ts';
import type { Frame, Panel } from './panel.ts';

type Tone = 'plain' | 'warn';

interface Figure {
  value: string;
  unit: string;
  note: string;
  tone?: Tone;
}

interface TileSpec extends SparkSpec {
  label: string;
  read(frame: Frame & { reading: NonNullable<Frame['reading']> }): Figure;
}

/** The split where there is one, else the total: there is room for one of them. */
const bytesNote = (all: number, attached: number, bytes: number) =>
  attached > 0
    ? `${megabytes(all - attached)} + ${megabytes(attached)} attached`
    : `${dataSize(bytes)} in all · 1 s`;

const RECENT_MS = 60_000;

const TILES: readonly TileSpec[] = [
  {
    label: 'Throughput in',
    channel: 'inBytesPerSec',
    leastTop: 1e5,
    read: ({ reading: { rates, totals } }) => ({
      value: megabytes(rates.inBytesPerSec),
      unit: 'MB/s',
      note: bytesNote(rates.inBytesPerSec, rates.attachedInBytesPerSec, totals.bytesIn),
    }),
  },
  {
    label: 'Throughput out',
    channel: 'outBytesPerSec',
    leastTop: 1e5,
    read: ({ reading: { rates, totals } }) => ({
      value: megabytes(rates.outBytesPerSec),
      unit: 'MB/s',
      note: bytesNote(rates.outBytesPerSec, rates.attachedOutBytesPerSec, totals.bytesOut),
    }),
  },
  {
    label: 'Ratio',
    channel: 'ratio',
    isLevel: true,
    leastTop: 2,
    read: ({ reading: { rates } }) => ({
      value: figure(rates.ratio),
      unit: ': 1',
      note: 'original ÷ compressed',
    }),
  },
  {
    label: 'Jobs',
    channel: 'jobsPerSec',
    leastTop: 10,
    read: ({ reading: { rates, totals } }) => ({
      value: figure(rates.jobsPerSec),
      unit: '/s',
      note: `${count(totals.operations)} in all · ${plural(totals.fallbacks, 'fallback')}`,
      tone: totals.fallbacks > 0 ? 'warn' : 'plain',
    }),
  },
  {
    label: 'Job latency p50 / p99',
    channel: 'p99Us',
    isLevel: true,
    leastTop: 100,
    read: ({ reading: { rates } }) => {
      const { text, unit } = durationPair(rates.p50Us, rates.p99Us);
      return { value: text, unit, note: 'slowest active queue' };
    },
  },
  {
    label: 'Engine busy',
    channel: 'busyRatio',
    leastTop: 1,
    read: ({ reading: { rates, devices } }) => ({
      value: percent(rates.busyRatio).replace(' %', ''),
      unit: '%',
      note: `mean of ${plural(
        devices.reduce((sum, { cores }) => sum + cores.length, 0),
        'core',
      )} · 1 s`,
    }),
  },
  {
    label: 'Software share',
    channel: 'fallbackRatio',
    isLevel: true,
    leastTop: 1,
    read: ({ reading: { totals, rates } }) => ({
      // without a request in the window, the share of all there were says more than a dash
      value: percent(
        Number.isNaN(rates.fallbackRatio) ? totals.fallbacks / totals.requests : rates.fallbackRatio,
      ).replace(' %', ''),
      unit: '%',
      note:
        totals.failures === 0
          ? `${plural(totals.requests, 'request')} · all ok`
          : `${count(totals.failures)} of ${count(totals.requests)} failed`,
      tone: totals.failures > 0 || rates.fallbackRatio > 0 ? 'warn' : 'plain',
    }),
  },
  {
    label: 'IOMMU faults',
    channel: 'faultsPerSec',
    leastTop: 1,
    read: ({ reading: { totals, atMs }, store }) => {
      // a paused page knows later ones, too
      const recent = Math.min(totals.faults, store.faults.countBetween(atMs - RECENT_MS, atMs));
      return {
        value: count(totals.faults),
        unit: '',
        note: totals.faults === 0 ? 'none since start' : `${count(recent)} in the last minute`,
        tone: recent > 0 ? 'warn' : 'plain',
      };
    },
  },
];

/** The figures that answer "is it healthy and how fast is it", each with its unit, its window and its last minute. */
export class HeadlinePanel implements Panel {
  private readonly tiles: Tile[];

  constructor() {
    const section = byId('headline', HTMLElement);
    this.tiles = TILES.map((spec) => new Tile(section, spec));
  }

  render(frame: Frame): void {
    for (const tile of this.tiles) tile.render(frame);
  }

  dispose(): void {
    for (const tile of this.tiles) tile.dispose();
  }
}

class Tile {
  private readonly value = el('span', { class: 'tile-value', text: '–' });
  private readonly unit = el('span', { class: 'tile-unit' });
  private readonly note = el('p', { class: 'tile-note', text: ' ' });
  private readonly root: HTMLElement;
  private readonly sparkline: Sparkline;

  constructor(
    section: HTMLElement,
    private readonly spec: TileSpec,
  ) {
    const canvas = el('canvas', { class: 'tile-spark', attrs: { 'aria-hidden': 'true' } });
    this.root = el(
      'article',
      { class: 'tile', attrs: { 'aria-label': spec.label } },
      el('h2', { class: 'tile-label', text: spec.label }),
      el('p', { class: 'tile-figure' }, this.value, this.unit),
      this.note,
      canvas,
    );
    section.append(this.root);
    this.sparkline = new Sparkline(canvas, spec);
  }

  render(frame: Frame): void {
    const { reading } = frame;
    if (reading === undefined) return;
    const { value, unit, note, tone } = this.spec.read({ ...frame, reading });
    setText(this.value, value);
    setText(this.unit, unit);
    setText(this.note, note);
    setTitle(this.note, note);
    this.root.dataset['tone'] = tone ?? 'plain';
    this.sparkline.draw(frame.store.history, reading.atMs, frame.palette);
  }

  dispose(): void {
    this.sparkline.dispose();
  }
}
