import type { ReadStream, WriteStream } from 'node:tty';
import type { Line, Style } from './view.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const ERASE_TO_END_OF_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const RESET = '\u001b[0m';
const STYLES: Readonly<Record<Style, string>> = {
  plain: '',
  bold: '\u001b[1m',
  dim: '\u001b[2m',
  alert: '\u001b[1;31m',
  good: '\u001b[32m',
  header: '\u001b[7m',
};

/** The alternate screen in raw mode. Whatever ends the process, `restore` gives the person's terminal back. */
export class Terminal {
  private isOpen = false;

  constructor(
    private readonly input: ReadStream,
    private readonly output: WriteStream,
    private readonly hasColour: boolean,
  ) {}

  open(onData: (data: string) => void, onResize: () => void): void {
    this.isOpen = true;
    process.once('exit', this.restore);
    this.input.setRawMode(true);
    this.input.setEncoding('utf8').on('data', onData).resume();
    this.output.on('resize', onResize);
    this.output.write(ENTER);
  }

  /** Draws the lines from the top and the footer at the bottom, cut to the screen. */
  draw(lines: readonly Line[], footer: Line): void {
    // a pseudo-terminal without a window says 0
    const rows = this.output.rows || 24;
    const columns = this.output.columns || 80;
    const shown = lines.flatMap((line) => wrapped(line, columns)).slice(0, Math.max(0, rows - 1));
    const body = shown.map((line) => `${this.paint(line, columns)}${ERASE_TO_END_OF_LINE}\r\n`).join('');
    this.output.write(`${HOME}${body}${ERASE_BELOW}\u001b[${rows};1H${this.paint(footer, columns - 1)}`);
  }

  readonly restore = (): void => {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.input.setRawMode(false);
    this.input.pause();
    this.output.write(LEAVE);
  };

  private paint({ text, style }: Line, columns: number): string {
    const cut = text.slice(0, Math.max(0, columns));
    const code = this.hasColour || style === 'header' ? STYLES[style] : '';
    return code === '' ? cut : `${code}${style === 'header' ? cut.padEnd(columns) : cut}${RESET}`;
  }
}

/** @internal for its test */
export function wrapped(line: Line, columns: number): Line[] {
  if (line.wraps === undefined) return [line];
  const rows: string[] = [];
  for (const item of line.text.split('  ')) {
    const longer = rows.length === 0 ? item : `${rows.at(-1)}  ${item}`;
    if (rows.length > 0 && longer.length <= columns) rows[rows.length - 1] = longer;
    else rows.push(item);
  }
  return rows.map((text) => ({ ...line, text }));
}
