import type { Chart } from 'chart.js';
import type { Palette } from '../theme/palette.ts';

/** A line of the grid: its place from 0 to 1 along its axis, and what it says. */
interface GridLine {
  at: number;
  label: string;
}

/** The grid with its labels, left of the plot and below it. */
export function drawAxes(
  { ctx, chartArea }: Chart,
  palette: Palette,
  font: string,
  { levels, times }: { levels: readonly GridLine[]; times: readonly GridLine[] },
): void {
  const { left, right, top, bottom } = chartArea;
  ctx.save();
  ctx.font = font;
  ctx.lineWidth = 1;
  ctx.strokeStyle = palette.grid;
  ctx.fillStyle = palette.muted;
  ctx.beginPath();
  ctx.textAlign = 'right';
  ctx.textBaseline = 'middle';
  for (const { at, label } of levels) {
    const y = crisp(bottom - at * (bottom - top));
    ctx.moveTo(left, y);
    ctx.lineTo(right, y);
    ctx.fillText(label, left - 8, y);
  }
  ctx.textBaseline = 'top';
  for (const { at, label } of times) {
    const x = crisp(left + at * (right - left));
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom + 4);
    ctx.textAlign = at === 0 ? 'left' : at === 1 ? 'right' : 'center'; // within the plot's width
    ctx.fillText(label, x, bottom + 7);
  }
  ctx.stroke();
  ctx.restore();
}

/** A line of one pixel fills a row of pixels when it lies in the middle of it. */
const crisp = (pixel: number) => Math.round(pixel) + 0.5;

/** The line under the pointer; `x` in pixels, nothing where it is beside the plot. */
export function drawCrosshair(chart: Chart, x: number, color: string): void {
  line(chart, x, color, []);
}

/** The moment of a fault: dashed, with a triangle on top, so that it is no second crosshair. */
export function drawMark(chart: Chart, x: number, color: string): void {
  line(chart, x, color, [4, 3]);
  const { ctx, chartArea } = chart;
  if (x < chartArea.left || x > chartArea.right) return;
  ctx.save();
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.moveTo(x - 5, chartArea.top);
  ctx.lineTo(x + 5, chartArea.top);
  ctx.lineTo(x, chartArea.top + 8);
  ctx.fill();
  ctx.restore();
}

/** What a drag would zoom into. */
export function drawSelection({ ctx, chartArea }: Chart, fromX: number, toX: number, color: string): void {
  const left = Math.max(chartArea.left, Math.min(fromX, toX));
  const right = Math.min(chartArea.right, Math.max(fromX, toX));
  ctx.save();
  ctx.fillStyle = color;
  ctx.fillRect(left, chartArea.top, right - left, chartArea.bottom - chartArea.top);
  ctx.restore();
}

function line({ ctx, chartArea }: Chart, x: number, color: string, dash: number[]): void {
  if (x < chartArea.left || x > chartArea.right) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.7;
  ctx.lineWidth = 1;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(x, chartArea.top);
  ctx.lineTo(x, chartArea.bottom);
  ctx.stroke();
  ctx.restore();
}
