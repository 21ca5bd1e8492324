const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};
const TIME_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  '': 1000,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};

function parseWithUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = units[(match?.[2] ?? '').toLowerCase()];
  if (match?.[1] === undefined || factor === undefined) return undefined;
  const value = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Bytes of `65536`, `64KiB`, `1.5 MiB`, `2GB`; undefined if the text is not a size. */
export const parseSize = (text: string): number | undefined => parseWithUnit(text, SIZE_UNITS);

/** Bytes as `64KiB` where they are whole KiB, MiB or more, else the number: what {@link parseSize} takes back. */
export function sizeText(bytes: number): string {
  const unit = ['TiB', 'GiB', 'MiB', 'KiB'].find(
    (name) => bytes % (SIZE_UNITS[name.toLowerCase()] ?? 1) === 0,
  );
  return unit === undefined || bytes === 0
    ? String(bytes)
    : `${bytes / (SIZE_UNITS[unit.toLowerCase()] ?? 1)}${unit}`;
}

/** Milliseconds of `250ms`, `30s`, `5m`, `1h`; a bare number counts seconds; undefined if the text is no time. */
export const parseDuration = (text: string): number | undefined => parseWithUnit(text, TIME_UNITS_MS);
