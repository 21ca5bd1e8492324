/** A measured figure, a name, or nothing where it does not apply. */
export type Cell = number | string | null;
export type Row = Readonly<Record<string, Cell>>;

export interface Table {
  caption: string;
  /** All with the same keys, which are the columns. */
  rows: readonly Row[];
}

/** One part of the benchmark, selectable by its name. */
export interface Section {
  name: string;
  title: string;
  /** How it was measured, for who wants to repeat it. */
  conditions: string;
  tables: readonly Table[];
}

function cellText(cell: Cell): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  return cell.toFixed(cell >= 100 ? 0 : cell >= 10 ? 1 : 2);
}

function tableText({ caption, rows }: Table): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const body = rows.map((row) => line(columns.map((column) => cellText(row[column] ?? null)))).join('');
  const rule = line(columns.map((_, i) => (i === 0 ? '---' : '--:')));
  return `\n${caption === '' ? '' : `**${caption}**\n\n`}${line(columns)}${rule}${body}`;
}

export function markdown(machine: Readonly<Record<string, string>>, sections: readonly Section[]): string {
  const facts = Object.entries(machine).map(([key, value]) => `${key}: ${value}`);
  const parts = sections.map(
    ({ title, conditions, tables }) => `\n### ${title}\n\n${conditions}\n${tables.map(tableText).join('')}`,
  );
  return `POST /v1/compress?format=gzip&level=1; ${facts.join('; ')}\n${parts.join('')}`;
}
