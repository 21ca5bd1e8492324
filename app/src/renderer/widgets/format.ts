/** Figures as people read them. A figure that is not known is a dash, never a zero. */
export const UNKNOWN = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Three significant digits at least, thousands grouped: `0.42`, `4.20`, `42.0`, `420`, `4,200`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value === 0) return '0';
  if (value < 0.01) return '<0.01';
  if (value < 9.995) return value.toFixed(2);
  if (value < 99.95) return value.toFixed(1);
  return grouped.format(value);
}

/** A count, shortened from a million on: `12`, `4,200`, `3.15 M`. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value < 1e6) return grouped.format(value);
  return value < 1e9 ? `${figure(value / 1e6)} M` : `${figure(value / 1e9)} G`;
}

/** Bytes per second in the one unit of every throughput figure on the page, 10^6 bytes per second. */
export const megabytes = (bytesPerSec: number): string => figure(bytesPerSec / 1e6);

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** An amount of data with its decimal unit: `0 B`, `8.19 kB`, `1.50 GB`. */
export function dataSize(bytes: number): string {
  if (!Number.isFinite(bytes)) return UNKNOWN;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? grouped.format(value) : figure(value)} ${BYTE_UNITS[unit]}`;
}

/** Memory, in the unit of memory tools. */
export const mebibytes = (bytes: number): string => `${figure(bytes / (1024 * 1024))} MiB`;

/** A share from 0 to 1 as whole percent. */
export const percent = (ratio: number): string =>
  Number.isFinite(ratio) ? `${Math.round(ratio * 100)} %` : UNKNOWN;

/** How many times as much; two digits of what is less than once: `12.3 ×`, `0.05 ×`. */
export const multipleWords = (multiple: number): string => `${multiple.toFixed(multiple < 1 ? 2 : 1)} ×`;

/** Microseconds with the unit that keeps them short. */
export function duration(us: number): string {
  if (!Number.isFinite(us)) return UNKNOWN;
  if (us < 999.5) return `${us < 9.95 ? us.toFixed(1) : Math.round(us)} µs`;
  return us < 999_500 ? `${figure(us / 1e3)} ms` : `${figure(us / 1e6)} s`;
}

/** Two times that are compared, in the unit of the larger: `120 / 340 µs`. */
export function durationPair(lowUs: number, highUs: number): { text: string; unit: string } {
  if (!Number.isFinite(lowUs) || !Number.isFinite(highUs)) return { text: UNKNOWN, unit: 'ms' };
  if (highUs < 999.5) return { text: `${Math.round(lowUs)} / ${Math.round(highUs)}`, unit: 'µs' };
  const [perUnit, unit] = highUs < 999_500 ? [1e3, 'ms'] : [1e6, 's'];
  return { text: `${figure(lowUs / perUnit)} / ${figure(highUs / perUnit)}`, unit };
}

/** How long ago or how long still: `0.4 s`, `12 s`, `3 min`, `2 h 05 min`. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

const two = (value: number) => String(value).padStart(2, '0');

/** Local wall-clock time, `14:03:22`, or `14:03:22.123` with milliseconds. */
export function clockTime(atMs: number, withMs = false): string {
  const date = new Date(atMs);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMs ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time;
}

/** One thing or several: `1 core`, `4 cores`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;
