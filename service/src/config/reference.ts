import { CONFIG_KEYS, type ConfigKey, configSchema, defaultText, envName, flagName } from './schema.ts';

/** The options as a Markdown table; docs/operations.md holds it, and a test compares. */
export function configTable(): string {
  const rows = CONFIG_KEYS.map((key) => {
    const shown = defaultText(key);
    return `| \`${key}\` | \`--${flagName(key)}\` | \`${envName(key)}\` | ${shown === '' ? '–' : `\`${shown}\``} | ${meaning(key)} |`;
  });
  return ['| key | flag | environment | default | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}

const meaning = (key: ConfigKey): string =>
  (configSchema.shape[key].description ?? '').replaceAll('|', '\\|');
