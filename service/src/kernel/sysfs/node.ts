/** A file: its text is made when it is read. */
export interface SysfsFile {
  readonly kind: 'file';
  /** Permission bits: 0o444, 0o200 or 0o644. */
  readonly mode: number;
  read?(): string;
  /** @throws the errno that the attribute's store function gives */
  write?(text: string): void;
}

/** A symbolic link; the target is absolute, as `/sys/…`. */
export interface SysfsLink {
  readonly kind: 'link';
  target(): string;
}

/** A directory: its entries are found when it is looked at. */
export interface SysfsDirectory {
  readonly kind: 'directory';
  entries(): ReadonlyMap<string, SysfsNode>;
}

export type SysfsNode = SysfsFile | SysfsLink | SysfsDirectory;

/** A readable attribute; a newline is added, as sysfs_emit's callers do. */
export const attribute = (read: () => string | number): SysfsFile => ({
  kind: 'file',
  mode: 0o444,
  read: () => `${read()}\n`,
});

/** An attribute that root writes and nobody reads. */
export const trigger = (write: (text: string) => void): SysfsFile => ({ kind: 'file', mode: 0o200, write });

export const link = (target: () => string): SysfsLink => ({ kind: 'link', target });

/** A directory whose entries are fixed; those that are undefined are hidden. */
export const directory = (entries: Readonly<Record<string, SysfsNode | undefined>>): SysfsDirectory => ({
  kind: 'directory',
  entries() {
    const shown = new Map<string, SysfsNode>();
    for (const [name, node] of Object.entries(entries)) if (node) shown.set(name, node);
    return shown;
  },
});

/** A directory whose entries change. */
export const listing = (entries: () => Iterable<readonly [string, SysfsNode]>): SysfsDirectory => ({
  kind: 'directory',
  entries: () => new Map(entries()),
});
