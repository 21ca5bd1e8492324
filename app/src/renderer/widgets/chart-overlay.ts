import type { Chart } from 'chart.js';

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
