import type { SysfsEntry, SysfsView } from '../../../../shared/src/telemetry.ts';
import { kernelError } from '../errno.ts';
import { directory, type SysfsDirectory, type SysfsNode } from './node.ts';

/** Linux PATH_MAX, and the number of links that a path may pass (include/linux/namei.h MAXSYMLINKS). */
const MAX_PATH_LENGTH = 4096;
const MAX_LINKS = 40;
/** A write takes at most one page. */
const MAX_WRITE_LENGTH = 4095;

const DIRECTORY_MODE = 0o755;
const LINK_MODE = 0o777;
const ANYONE_MAY_READ = 0o004;

/**
 * A virtual /sys. Paths are resolved in the tree alone, so that no path reaches a file of the host; `..` of `/` is `/`.
 * A path that does not begin with `sys` is taken to be below it.
 */
export class Sysfs implements SysfsView {
  /** `/`, which holds nothing but /sys. */
  private readonly top: SysfsDirectory;

  constructor(private readonly root: SysfsDirectory) {
    this.top = directory({ sys: root });
  }

  /** @throws WD_E_ENOENT, WD_E_ENOTDIR, WD_E_ELOOP, WD_E_ENAMETOOLONG */
  list(path: string): SysfsEntry[] {
    const node = this.resolve(path, true);
    if (node.kind !== 'directory') throw kernelError('ENOTDIR', `${shown(path)} is not a directory`);
    return [...node.entries()].map(([name, entry]) => entryOf(name, entry));
  }

  /** @throws WD_E_ENOENT, WD_E_EISDIR, WD_E_EACCES, and what the attribute throws */
  read(path: string, isAdmin: boolean): string {
    const node = this.resolve(path, true);
    if (node.kind !== 'file') throw kernelError('EISDIR', `${shown(path)} is a directory`);
    if ((!isAdmin && (node.mode & ANYONE_MAY_READ) === 0) || !node.read)
      throw kernelError('EACCES', `${shown(path)} may not be read (mode ${octal(node.mode)})`);
    return node.read();
  }

  /**
   * One write(2) of a text; a newline at its end is the shell's.
   * @throws WD_E_EACCES not root, or the file takes no writes; WD_E_EISDIR; and what the attribute throws
   */
  write(path: string, text: string, isAdmin: boolean): void {
    const node = this.resolve(path, true);
    if (node.kind !== 'file') throw kernelError('EISDIR', `${shown(path)} is a directory`);
    if (!isAdmin || !node.write)
      throw kernelError('EACCES', `${shown(path)} may not be written by you (mode ${octal(node.mode)})`);
    if (text.length > MAX_WRITE_LENGTH)
      throw kernelError('EINVAL', `an attribute takes at most ${MAX_WRITE_LENGTH} bytes`, { field: 'text' });
    node.write(text);
  }

  /** @throws WD_E_ENOENT; WD_E_EINVAL not a link */
  readlink(path: string): string {
    const node = this.resolve(path, false);
    if (node.kind !== 'link') throw kernelError('EINVAL', `${shown(path)} is not a link`);
    return node.target();
  }

  /** The entry itself: links are not followed. @throws WD_E_ENOENT */
  stat(path: string): SysfsEntry {
    const name = segmentsOf(path).at(-1) ?? 'sys';
    return entryOf(name, this.resolve(path, false));
  }

  private resolve(path: string, followsLast: boolean): SysfsNode {
    let pending = segmentsOf(path);
    let trail: SysfsDirectory[] = pending[0] === 'sys' ? [this.top] : [this.top, this.root];
    let at: SysfsNode = trail.at(-1) ?? this.top;
    let links = 0;
    while (pending.length > 0) {
      const [name = '', ...rest] = pending;
      pending = rest;
      if (at.kind !== 'directory')
        throw kernelError('ENOTDIR', `a part of ${shown(path)} is not a directory`);
      if (name === '..') {
        if (trail.length > 1) trail.pop();
        at = trail.at(-1) ?? this.top;
        continue;
      }
      const next: SysfsNode | undefined = at.entries().get(name);
      if (!next) throw kernelError('ENOENT', `${shown(path)} does not exist`);
      if (next.kind === 'link' && (followsLast || pending.length > 0)) {
        if (++links > MAX_LINKS) throw kernelError('ELOOP', `${shown(path)} passes too many links`);
        pending = [...segmentsOf(next.target()), ...pending];
        trail = [this.top];
        at = this.top;
        continue;
      }
      at = next;
      if (next.kind === 'directory') trail.push(next);
    }
    return at;
  }
}

/** Names of a path, `.` left out. */
function segmentsOf(path: string): string[] {
  if (path.length > MAX_PATH_LENGTH)
    throw kernelError('ENAMETOOLONG', `a path has at most ${MAX_PATH_LENGTH} characters`);
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

const octal = (mode: number): string => `0${mode.toString(8)}`;
const shown = (path: string): string => JSON.stringify(path.slice(0, 200));

function entryOf(name: string, node: SysfsNode): SysfsEntry {
  switch (node.kind) {
    case 'directory':
      return { name, kind: 'directory', mode: DIRECTORY_MODE };
    case 'link':
      return { name, kind: 'link', mode: LINK_MODE, target: node.target() };
    case 'file':
      return { name, kind: 'file', mode: node.mode };
  }
}
