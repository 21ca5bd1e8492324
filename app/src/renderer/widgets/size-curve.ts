import { Chart, LinearScale, LineController, LineElement, LogarithmicScale, PointElement } from 'chart.js';
import type { Compared } from '../store/comparison.ts';
import type { Palette } from '../theme/palette.ts';
import { multipleWords } from './format.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale);

const LABEL_GAP_PX = 8;
const LABEL_HEIGHT_PX = 9;
const LABEL_WIDTH_PX = 48;

/** Throughput over job size, the sizes logarithmic, with the multiple written over each point of the best engine. */
export class SizeCurve {
  private chart: Chart<'line', { x: number; y: number }[]> | undefined;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  draw(rows: readonly Compared[], palette: Palette): void {
    this.chart?.destroy();
    const single = rows.filter(
      ({ processes }) => processes === Math.min(...rows.map((row) => row.processes)),
    );
    const sizes = [...new Set(single.map(({ jobBytes }) => jobBytes))].sort((a, b) => a - b);
    const best = (isBaseline: boolean) =>
      sizes.flatMap((size) => {
        const found = single.filter((row) => row.jobBytes === size && row.isBaseline === isBaseline);
        return found.length === 0 ? [] : [found.reduce((a, b) => (b.mbPerSec > a.mbPerSec ? b : a))];
      });
    const engine = best(false);
    const points = (found: Compared[]) =>
      found.map(({ jobBytes, mbPerSec }) => ({ x: jobBytes, y: mbPerSec }));
    const font = { size: 11, family: getComputedStyle(this.canvas).fontFamily };
    const axis = { grid: { color: palette.grid }, border: { display: false } };
    this.chart = new Chart<'line', { x: number; y: number }[]>(this.canvas, {
      type: 'line',
      data: {
        datasets: [
          {
            data: points(engine),
            borderColor: palette.accent,
            backgroundColor: palette.accent,
            borderWidth: 2,
            pointRadius: 3,
          },
          {
            data: points(best(true)),
            borderColor: palette.second,
            backgroundColor: palette.second,
            borderWidth: 2,
            borderDash: [5, 3],
            pointRadius: 3,
            pointStyle: 'rect',
          },
        ],
      },
      options: {
        animation: false,
        parsing: false,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        layout: { padding: { top: 22, right: 26 } },
        scales: {
          x: {
            ...axis,
            type: 'logarithmic',
            min: (sizes[0] ?? 1) * 0.8,
            max: (sizes.at(-1) ?? 2) * 1.25,
            afterBuildTicks: (scale) => {
              scale.ticks = sizes.map((value) => ({ value }));
            },
            ticks: {
              font,
              color: palette.muted,
              maxRotation: 0,
              callback: (value) => shortSize(Number(value)),
            },
          },
          y: {
            ...axis,
            type: 'linear',
            beginAtZero: true,
            ticks: { font, color: palette.muted, maxTicksLimit: 5 },
          },
        },
      },
      plugins: [
        {
          id: 'multiples',
          afterDatasetsDraw: (chart) => writeMultiples(chart, engine, palette, font.family),
        },
      ],
    });
  }

  dispose(): void {
    this.chart?.destroy();
  }
}

function writeMultiples(chart: Chart, engine: readonly Compared[], palette: Palette, family: string): void {
  const { ctx } = chart;
  const { x, y } = chart.scales;
  if (x === undefined || y === undefined) return;
  ctx.save();
  ctx.fillStyle = palette.text;
  ctx.font = `600 12px ${family}`;
  ctx.textAlign = 'center';
  let last = { atX: Number.NEGATIVE_INFINITY, isBelow: false };
  for (const { jobBytes, mbPerSec, multiple } of engine) {
    if (multiple === undefined) continue;
    const atX = x.getPixelForValue(jobBytes);
    // neighbours that are too close take turns above and below their points
    const isBelow = atX - last.atX < LABEL_WIDTH_PX && !last.isBelow;
    const atY = y.getPixelForValue(mbPerSec) + (isBelow ? LABEL_GAP_PX + LABEL_HEIGHT_PX : -LABEL_GAP_PX);
    ctx.fillText(multipleWords(multiple), atX, atY);
    last = { atX, isBelow };
  }
  ctx.restore();
}

const shortSize = (bytes: number) =>
  bytes >= 1_048_576 ? `${bytes / 1_048_576} MiB` : `${Math.round(bytes / 102.4) / 10} KiB`;
