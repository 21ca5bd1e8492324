import { WarpDriveError } from '../../../shared/src/problem.ts';
import { readConfigFile } from './file.ts';
import {
  CONFIG_KEYS,
  type Config,
  type ConfigKey,
  configSchema,
  ENV_PREFIX,
  envName,
  flagName,
  SECRET_KEYS,
} from './schema.ts';
import { suggest } from './suggest.ts';

export type Origin = 'default' | 'file' | 'environment' | 'flag';

export interface ConfigSources {
  /** From the command line, keys of the schema. */
  flags: Readonly<Record<string, unknown>>;
  env: Readonly<Record<string, string | undefined>>;
  /** Path of a TOML or JSON file; WARPDRIVE_CONFIG names it too. */
  file?: string;
}

export interface LoadedConfig {
  config: Config;
  origins: Readonly<Record<ConfigKey, Origin>>;
}

export const CONFIG_FILE_ENV = `${ENV_PREFIX}CONFIG`;
/** Variables with the prefix that are no options: the file of this loader, the folder of platform/run-folder.ts, the
 * address that other commands call. */
const OTHER_VARIABLES = [CONFIG_FILE_ENV, `${ENV_PREFIX}RUN_DIR`, `${ENV_PREFIX}URL`];

/**
 * Defaults < file < environment < flags, validated once.
 * @throws WD_E_PARAMETER naming option, origin, value and what is allowed
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const path = sources.file ?? sources.env[CONFIG_FILE_ENV];
  const layers: [Origin, Record<string, unknown>][] = [
    ['file', path === undefined ? {} : fromFile(path)],
    ['environment', fromEnvironment(sources.env)],
    ['flag', { ...sources.flags }],
  ];
  const merged: Record<string, unknown> = {};
  const origins = Object.fromEntries(CONFIG_KEYS.map((key) => [key, 'default'])) as Record<ConfigKey, Origin>;
  for (const [origin, layer] of layers) {
    for (const key of CONFIG_KEYS) {
      if (layer[key] === undefined) continue;
      merged[key] = layer[key];
      origins[key] = origin;
    }
  }
  const parsed = configSchema.safeParse(merged);
  if (parsed.success) return { config: parsed.data, origins };
  const issue = parsed.error.issues[0];
  const key = CONFIG_KEYS.find((k) => k === issue?.path[0]);
  if (key === undefined) throw refused('configuration', merged, issue?.message ?? 'not valid');
  const value = SECRET_KEYS.has(key) ? '***' : merged[key];
  throw refused(nameAt(key, origins[key]), value, issue?.message ?? 'not valid');
}

function nameAt(key: ConfigKey, origin: Origin): string {
  if (origin === 'environment') return envName(key);
  return origin === 'flag' ? `--${flagName(key)}` : `"${key}"`;
}

function refused(option: string, value: unknown, reason: string): WarpDriveError {
  return new WarpDriveError('WD_E_PARAMETER', `${option}: ${reason}, got ${JSON.stringify(value)}`, {
    parameter: option,
  });
}

/** @param prefix of all names; left out of the comparison, because names that share it would all be near */
function unknownName(what: string, name: string, known: readonly string[], prefix = ''): WarpDriveError {
  const bare = (one: string) => one.slice(prefix.length);
  const near = suggest(bare(name), known.map(bare));
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${prefix}${near}?`;
  return new WarpDriveError('WD_E_PARAMETER', `unknown ${what} ${name}; ${hint}`, { parameter: name });
}

function fromEnvironment(env: ConfigSources['env']): Record<string, unknown> {
  const byName = new Map<string, string>(CONFIG_KEYS.map((key) => [envName(key), key]));
  const layer: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(ENV_PREFIX) || OTHER_VARIABLES.includes(name)) continue;
    const key = byName.get(name);
    if (key === undefined)
      throw unknownName('environment variable', name, [...byName.keys(), ...OTHER_VARIABLES], ENV_PREFIX);
    layer[key] = value;
  }
  return layer;
}

function fromFile(path: string): Record<string, unknown> {
  const layer = readConfigFile(path);
  const known: readonly string[] = CONFIG_KEYS;
  for (const key of Object.keys(layer))
    if (!known.includes(key)) throw unknownName(`key in ${path}:`, key, known);
  return layer;
}
