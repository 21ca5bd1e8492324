import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
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
    throw unusable(path, reasonOf(cause));
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw unusable(path, 'expected an object whose keys are options');
  return { ...parsed };
}

/** What is wrong and where, without the text around it: parsers quote it, and a token may stand there. */
function reasonOf(error: unknown): string {
  if (error instanceof TomlError)
    return `${error.message.split('\n', 1)[0]} (line ${error.line}, column ${error.column})`;
  if (error instanceof SyntaxError) return `not JSON${/ at position \d+/.exec(error.message)?.[0] ?? ''}`;
  return error instanceof Error ? error.message : String(error);
}

function unusable(path: string, reason: string): WarpDriveError {
  return new WarpDriveError('WD_E_PARAMETER', `configuration file ${path}: ${reason}`, {
    parameter: 'config',
  });
}
