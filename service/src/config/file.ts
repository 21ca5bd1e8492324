import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { WarpDriveError } from '../../../shared/src/problem.ts';

/**
 * The options of a configuration file, not yet checked: JSON if its name ends in .json, else TOML.
 * @throws WD_E_PARAMETER naming the file and, for a syntax error, the place
 */
export function readConfigFile(path: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    const text = readFileSync(path, 'utf8');
    parsed = extname(path).toLowerCase() === '.json' ? JSON.parse(text) : parseToml(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trimEnd() : String(cause);
    throw unusable(path, reason, cause);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw unusable(path, 'expected an object whose keys are options');
  return { ...parsed };
}

function unusable(path: string, reason: string, cause?: unknown): WarpDriveError {
  const message = `configuration file ${path}: ${reason}`;
  return new WarpDriveError('WD_E_PARAMETER', message, { parameter: 'config' }, { cause });
}
