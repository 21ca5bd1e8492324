import { readFile, rename, writeFile } from 'node:fs/promises';

/** What the store needs of Electron's safeStorage. */
export interface Encryption {
  isEncryptionAvailable(): boolean;
  encryptString(plain: string): Buffer;
  decryptString(encrypted: Buffer): string;
}

export interface TextFile {
  /** Undefined where there is none. */
  read(): Promise<string | undefined>;
  /** Whole or not at all. */
  write(text: string): Promise<void>;
}

/** Admin tokens by the origin of their service, encrypted with the system's key store; without one, none is kept. */
export class TokenStore {
  constructor(
    private readonly file: TextFile,
    private readonly encryption: Encryption,
  ) {}

  /** @param token empty: forget it. @returns whether it is kept now, or forgotten */
  async save(origin: string, token: string): Promise<boolean> {
    const tokens = await this.all();
    if (token === '') tokens.delete(origin);
    else if (this.encryption.isEncryptionAvailable())
      tokens.set(origin, this.encryption.encryptString(token).toString('base64'));
    else return false;
    await this.file.write(JSON.stringify(Object.fromEntries(tokens)));
    return true;
  }

  async load(origin: string): Promise<string | undefined> {
    const encrypted = (await this.all()).get(origin);
    if (encrypted === undefined || !this.encryption.isEncryptionAvailable()) return undefined;
    try {
      return this.encryption.decryptString(Buffer.from(encrypted, 'base64'));
    } catch {
      return undefined; // encrypted by another user or another machine
    }
  }

  private async all(): Promise<Map<string, string>> {
    try {
      const parsed: unknown = JSON.parse((await this.file.read()) ?? '{}');
      if (typeof parsed !== 'object' || parsed === null) return new Map();
      return new Map(
        Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      );
    } catch {
      return new Map();
    }
  }
}

/** A small file for the user's eyes only, replaced by renaming. */
export const privateFile = (path: string): TextFile => ({
  read: () => readFile(path, 'utf8').catch(() => undefined),
  write: async (text) => {
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  },
});
