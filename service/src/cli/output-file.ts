import { createWriteStream, existsSync, type Stats, statSync } from 'node:fs';
import { chmod, rename, rm, utimes } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { CommandError, EXIT } from './exit.ts';

/** Where a command's product goes. `discard` leaves no partial file behind. */
export interface Output {
  readonly stream: Writable;
  /** Makes the file appear under its name, with the times and mode of `like`. */
  commit(like: Stats | undefined): Promise<void>;
  discard(): Promise<void>;
}

const MODE_BITS = 0o777;
const nothing = async () => {};

export function standardOutput(force: boolean): Output {
  if (process.stdout.isTTY && !force)
    throw new CommandError(
      EXIT.usage,
      'Compressed data is not written to a terminal. Redirect it, name a file with --output, or use --force.',
    );
  return { stream: process.stdout, commit: nothing, discard: nothing };
}

/**
 * A file that is written beside its final name and renamed when whole, so that nobody ever sees half of it.
 * Devices and pipes are written directly.
 */
export function outputFile(path: string, force: boolean): Output {
  const exists = existsSync(path);
  if (exists && !statSync(path).isFile())
    return { stream: createWriteStream(path), commit: nothing, discard: nothing };
  if (exists && !force)
    throw new CommandError(EXIT.cannotCreate, `${path} exists already; use --force to replace it.`);
  const partial = `${path}.part-${process.pid}`;
  return {
    stream: createWriteStream(partial, { flags: 'wx' }),
    async commit(like) {
      if (like !== undefined) {
        await chmod(partial, like.mode & MODE_BITS);
        await utimes(partial, like.atime, like.mtime);
      }
      await rename(partial, path);
    },
    discard: () => rm(partial, { force: true }),
  };
}
