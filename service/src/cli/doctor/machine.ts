import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

export type Level = 'ok' | 'warn' | 'fail';

/** One thing looked at. `fix` is a command or setting, and there for everything that is not ok. */
export interface Finding {
  check: string;
  level: Level;
  detail: string;
  fix?: string;
}

/** What the checks look at, so that tests bring their own machine. */
export interface Machine {
  /** Folder in the place of `/`: a test's tree of /sys, /proc and /dev. */
  root: string;
  platform: string;
  /** As process.version. */
  node: string;
  uid: number;
  gids: readonly number[];
  cpus: number;
  runFolder: string;
  /** The error code of listening there, or undefined. */
  listenError(host: string, port: number): Promise<string | undefined>;
  /** The error code of connecting to a Unix socket, or undefined. */
  connectError(path: string): Promise<string | undefined>;
}

/** Reads below a machine's root; what is not there or not readable is undefined or empty. */
export class Files {
  constructor(private readonly root: string) {}

  text(path: string): string | undefined {
    try {
      return readFileSync(join(this.root, path), 'utf8').trim();
    } catch {
      return undefined;
    }
  }

  names(path: string): string[] {
    try {
      return readdirSync(join(this.root, path)).sort();
    } catch {
      return [];
    }
  }

  /** Target of a symbolic link. */
  link(path: string): string | undefined {
    try {
      return readlinkSync(join(this.root, path));
    } catch {
      return undefined;
    }
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  /** Whether a user with these ids may read and write, by the permission bits. Undefined: it is not there. */
  isUsable(path: string, uid: number, gids: readonly number[]): boolean | undefined {
    const stat = statSync(join(this.root, path), { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (uid === 0) return true;
    const shift = stat.uid === uid ? 6 : gids.includes(stat.gid) ? 3 : 0;
    return ((stat.mode >> shift) & 6) === 6;
  }
}
