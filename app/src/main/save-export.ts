import { basename, dirname, join } from 'node:path';

/** What saving asks of Electron and of the file system. */
export interface SaveDeps {
  /** The system's save dialog; undefined: cancelled. */
  choosePath(defaultPath: string, extension: string): Promise<string | undefined>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  downloads: string;
}

export const MAX_EXPORT_BYTES = 256 * 1024 * 1024;
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.(csv|json|jsonl|png)$/;

/** True for names that the page may suggest: no folder, a kind of file that exports have. */
export const isExportName = (name: unknown): name is string =>
  typeof name === 'string' && FILE_NAME.test(name);

/** Saves what the page exports, only where the user says; the next dialog opens in the same folder. */
export function createSaver(
  deps: SaveDeps,
): (name: string, bytes: Uint8Array) => Promise<'saved' | 'cancelled'> {
  let folder = deps.downloads;
  return async (name, bytes) => {
    const path = await deps.choosePath(join(folder, basename(name)), name.slice(name.lastIndexOf('.') + 1));
    if (path === undefined) return 'cancelled';
    folder = dirname(path);
    await deps.write(path, bytes);
    return 'saved';
  };
}
