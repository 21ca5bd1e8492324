import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { runFolder } from '../platform/run-folder.ts';

export interface AdminToken {
  token: string;
  /** Only for a token that was made here: the file that holds it, readable by its owner alone. */
  file?: string;
  dispose(): void;
}

/**
 * The configured token, or a fresh one in a private file named after the process.
 * @throws WD_E_EACCES if another user owns the folder
 */
export function adminToken(configured: string | undefined): AdminToken {
  if (configured !== undefined) return { token: configured, dispose() {} };
  const token = randomBytes(24).toString('base64url');
  const folder = runFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (statSync(folder).uid !== process.getuid?.())
    throw new WarpDriveError('WD_E_EACCES', `${folder} belongs to another user; set WARPDRIVE_RUN_DIR`);
  const file = join(folder, `admin-token-${process.pid}`);
  rmSync(file, { force: true });
  writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  return { token, file, dispose: () => rmSync(file, { force: true }) };
}
