import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  ftruncateSync,
  openSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mapShared, type PeerCredentials, type SharedMapping } from './libc.ts';

const OWNER_ONLY = 0o600;
const SHARED_MEMORY = '/dev/shm';

/** A memory-backed file that two processes map. Its maker removes the name; the memory lives until both unmap. */
export interface SharedFile extends SharedMapping {
  readonly path: string;
  /** Takes the name away, so that nobody else can open it. Idempotent. */
  unlink(): void;
}

/**
 * A new file of zero bytes, readable by its owner alone.
 * @param owner who else maps it; handed to them if we may (root), else they must be the same user
 */
export function createSharedFile(bytes: number, owner: PeerCredentials): SharedFile {
  const folder = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir();
  const path = join(folder, `warpdrive-${process.pid}-${randomBytes(8).toString('hex')}`);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, OWNER_ONLY);
  const unlink = (): void => rmSync(path, { force: true });
  try {
    ftruncateSync(fd, bytes);
    if (process.getuid?.() === 0) fchownSync(fd, owner.uid, owner.gid);
    return { path, unlink, ...mapShared(fd, bytes) };
  } catch (error) {
    unlink();
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Takes away files that a killed service left behind: their name has its pid. */
export function removeOrphanedFiles(): void {
  if (!existsSync(SHARED_MEMORY)) return;
  for (const name of readdirSync(SHARED_MEMORY)) {
    const pid = /^warpdrive-(\d+)-[0-9a-f]{16}$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(SHARED_MEMORY, name), { force: true });
  }
}

/** Maps a file that another process made. */
export function openSharedFile(path: string, bytes: number): SharedMapping {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    return mapShared(fd, bytes);
  } finally {
    closeSync(fd);
  }
}
