import type { Palette } from '../theme/palette.ts';
import { type ExportFile, fileStem } from './files.ts';

const SCALE = 2;
const HEAD_PX = 34;
const GAP_PX = 12;

/** A chart as it is on the page, with the words that stand over it. */
export interface Pictured {
  title: string;
  canvas: HTMLCanvasElement;
}

/** The charts one under the other at twice their size, on the theme's background, as PNG. */
export async function exportPicture(
  charts: readonly Pictured[],
  what: string,
  atMs: number,
  palette: Palette,
): Promise<ExportFile> {
  const width = Math.max(...charts.map(({ canvas }) => canvas.clientWidth));
  const height = charts.reduce((sum, { canvas }) => sum + HEAD_PX + canvas.clientHeight + GAP_PX, 0);
  const picture = document.createElement('canvas');
  picture.width = width * SCALE;
  picture.height = height * SCALE;
  const context = picture.getContext('2d');
  if (context === null) throw new Error('this browser draws no canvas');
  context.scale(SCALE, SCALE);
  context.fillStyle = palette.panel;
  context.fillRect(0, 0, width, height);
  let y = 0;
  for (const { title, canvas } of charts) {
    context.fillStyle = palette.text;
    context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
    context.fillText(title, GAP_PX, y + 22);
    context.drawImage(canvas, 0, y + HEAD_PX, canvas.clientWidth, canvas.clientHeight);
    y += HEAD_PX + canvas.clientHeight + GAP_PX;
  }
  const blob = await new Promise<Blob | null>((resolve) => picture.toBlob(resolve, 'image/png'));
  if (blob === null) throw new Error('the picture is larger than this browser can make');
  return {
    name: `${fileStem(what, atMs)}.png`,
    type: 'image/png',
    bytes: new Uint8Array(await blob.arrayBuffer()),
  };
}
