/** One field (RFC 4180): quoted where it holds a comma, a quote or a line break. */
const field = (value: string | number): string => {
  const text = typeof value === 'number' ? numberText(value) : value;
  // a spreadsheet takes these first characters for a formula
  const safe = typeof value === 'string' && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

const numberText = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(12))) : '';

/** Comma-separated text with a header line; unknown numbers are empty fields. */
export function csv(header: readonly string[], rows: Iterable<readonly (string | number)[]>): string {
  const lines = [header.map(field).join(',')];
  for (const row of rows) lines.push(row.map(field).join(','));
  return `${lines.join('\r\n')}\r\n`;
}
