import type { LoadedConfig } from './load.ts';
import { asGiven, CONFIG_KEYS, envName, flagName, SECRET_KEYS } from './schema.ts';

/** A line for each option: name, value with secrets masked, origin. */
export function printConfig({ config, origins }: LoadedConfig): string {
  const rows = CONFIG_KEYS.map((key) => {
    const value = asGiven(key, config[key]);
    const shown = SECRET_KEYS.has(key) && value !== undefined ? '***' : JSON.stringify(value ?? null);
    const origin = origins[key];
    const from = origin === 'environment' ? envName(key) : origin === 'flag' ? `--${flagName(key)}` : origin;
    return [key, shown, from] as const;
  });
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  return rows
    .map(([key, value, from]) => `${key.padEnd(width(0))}  ${value.padEnd(width(1))}  ${from}\n`)
    .join('');
}
