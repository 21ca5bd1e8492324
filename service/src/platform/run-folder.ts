import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * Where a service keeps what other processes of the machine look for: `WARPDRIVE_RUN_DIR`, else
 * `$XDG_RUNTIME_DIR/warpdrive`, else `/run/warpdrive` for root, else a folder of the user's in /tmp.
 */
export function runFolder(): string {
  const chosen = process.env['WARPDRIVE_RUN_DIR'];
  if (chosen) return chosen;
  const runtime = process.env['XDG_RUNTIME_DIR'];
  if (runtime) return join(runtime, 'warpdrive');
  return process.getuid?.() === 0 ? '/run/warpdrive' : join(tmpdir(), `warpdrive-${userInfo().uid}`);
}

/** The attach socket of a service that was not told another path. */
export const defaultAttachPath = (): string => join(runFolder(), 'attach.sock');
