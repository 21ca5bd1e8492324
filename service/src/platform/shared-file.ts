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
import { mayOpenOurDescriptors } from './descriptor-rights.ts';
import { createSealedMemory, mapShared, type PeerCredentials, type SharedMapping } from './libc.ts';

const OWNER_ONLY = 0o600;
const SHARED_MEMORY = '/dev/shm';

/** Memory that two processes map, with a path that the other one opens. It lives until both unmap. */
export interface SharedFile extends SharedMapping {
  readonly path: string;
  /** Takes the path away, so that nobody else can open it. Idempotent. */
  unlink(): void;
}

/**
 * New memory of zero bytes. A process that may open our descriptors gets one whose size is sealed. For any other one, such
 * as another user's with a service of root, it is a file of its own, which it could truncate under us.
 * @param owner who else maps it
 */
export function createSharedFile(bytes: number, owner: PeerCredentials): SharedFile {
  const fd = mayOpenOurDescriptors(owner.pid) ? createSealedMemory(nameOf(), bytes) : undefined;
  return fd === undefined ? createNamedFile(bytes, owner) : sharedDescriptor(fd, bytes);
}

const nameOf = (): string => `warpdrive-${process.pid}-${randomBytes(8).toString('hex')}`;

function sharedDescriptor(fd: number, bytes: number): SharedFile {
  let isOpen = true;
  const unlink = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  try {
    return { path: `/proc/${process.pid}/fd/${fd}`, unlink, ...mapShared(fd, bytes) };
  } catch (error) {
    unlink();
    throw error;
  }
}

/** Readable by its owner alone; handed to the peer if we may (root), else both must be the same user. */
function createNamedFile(bytes: number, owner: PeerCredentials): SharedFile {
  const folder = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir();
  const path = join(folder, nameOf());
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

/** Maps what another process made. Its path may be a link of /proc. */
export function openSharedFile(path: string, bytes: number): SharedMapping {
  const fd = openSync(path, constants.O_RDWR);
  try {
    return mapShared(fd, bytes);
  } finally {
    closeSync(fd);
  }
}
