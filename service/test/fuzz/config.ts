/**
 * Configuration from TOML, JSON, environment and flags: a value is taken and printed, or refused in a sentence that
 * names it; nothing else is thrown, no token is repeated, no prototype is changed.
 * Input: source (byte 0), the text; for environment and flags a line `name=value` each.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { printConfig } from '../../src/config/print.ts';
import { CONFIG_KEYS, envName } from '../../src/config/schema.ts';
import { expect, type FuzzTarget } from './target.ts';

const SECRET = 'hunter2';
/** As the refusal of a token's value names it: in a file, as a flag, in the environment. */
const SECRET_OPTION = /^("(adminToken|token)"|--(admin-)?token|WARPDRIVE_(ADMIN_)?TOKEN)$/;
const KINDS = ['toml', 'json', 'environment', 'flags'] as const;
const CLEAN = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));

function sourcesOf(kind: (typeof KINDS)[number], text: string, folder: string): ConfigSources {
  if (kind === 'toml' || kind === 'json') {
    const file = join(folder, `config.${kind}`);
    writeFileSync(file, text);
    return { flags: {}, env: {}, file };
  }
  const pairs = text.split('\n').map((line): [string, string] => {
    const at = line.indexOf('=');
    return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  });
  // other files are not this target's business: a path could be a device that never ends
  const layer = Object.fromEntries(pairs.filter(([name]) => name !== 'WARPDRIVE_CONFIG'));
  return kind === 'flags' ? { flags: layer, env: {} } : { flags: {}, env: layer };
}

function checkLoaded(loaded: LoadedConfig): void {
  for (const [key, value] of Object.entries(loaded.config))
    if (typeof value === 'number') expect(Number.isFinite(value) && value >= 0, () => `${key} is ${value}`);
  const lines = printConfig(loaded).split('\n');
  expect(
    lines.length === CONFIG_KEYS.length + 1,
    () => `${lines.length} lines for ${CONFIG_KEYS.length} options`,
  );
  const secrets = lines.filter((line) => /^(adminToken|token) /.test(line));
  expect(secrets.length === 2 && !secrets.join().includes(SECRET), () => `printed: ${secrets.join()}`);
}

const seed = (kind: number, text: string): Uint8Array => Buffer.concat([Buffer.of(kind), Buffer.from(text)]);

export const config: FuzzTarget = {
  name: 'config',
  width: 1,
  maxBytes: 2048,
  dictionary: [
    ...CONFIG_KEYS,
    ...CONFIG_KEYS.map(envName),
    ...[
      '=',
      '\n',
      '"',
      "'",
      '[',
      ']',
      '{',
      '}',
      '#',
      '\\u0000',
      '"""',
      'true',
      'null',
      '1e400',
      '-0',
      'nan',
      'inf',
      '-1',
      '0x10',
      '1_000',
    ],
    ...[
      '64KiB',
      '2GiB',
      '99999999999999999999',
      '30s',
      '250ms',
      '596h',
      '1e3',
      '0.5',
      '__proto__',
      'constructor',
      '[[a]]',
      '1979-05-27T07:32:00Z',
    ],
    ...[`"${SECRET}"`, 'auto', 'wasm', 'sva', 'allow', '\ufeff', '\u0000'],
  ],
  seeds: () => [
    seed(
      0,
      'port = 8080\nhost = "127.0.0.1"\nmaxInput = "64KiB"\nidleTimeout = "30s"\nallowOrigin = ["http://a"]\n',
    ),
    seed(0, `adminToken = "${SECRET}-and-more"\ntoken = "${SECRET}"\n`),
    seed(1, '{"port":8080,"maxOutput":1048576,"core":"wasm","workers":2,"logLevel":"warn"}'),
    seed(1, `{"__proto__":{"polluted":1},"token":"${SECRET}"}`),
    seed(2, 'WARPDRIVE_PORT=0\nWARPDRIVE_MAX_RATIO=1000\nWARPDRIVE_PING_TIMEOUT=5m\n'),
    seed(3, 'port=1\nmaxFrame=4KiB\nallowOrigin=http://a,http://b\ndrainDelay=1s'),
  ],
  open() {
    const folder = mkdtempSync(join(tmpdir(), 'warpdrive-fuzz-'));
    return Promise.resolve({
      run(input: Uint8Array) {
        const kind = KINDS[(input[0] ?? 0) % KINDS.length] ?? 'toml';
        const sources = sourcesOf(kind, Buffer.from(input.subarray(1)).toString(), folder);
        let outcome: string = kind;
        try {
          checkLoaded(loadConfig(sources));
          outcome += ' taken';
        } catch (error) {
          if (!(error instanceof WarpDriveError)) throw error;
          expect(error.code === 'WD_E_PARAMETER', () => `refused with ${error.code}`);
          const isSecret = SECRET_OPTION.test(String(error.details['parameter']));
          expect(!isSecret || !error.message.includes(SECRET), () => `repeats a secret: ${error.message}`);
          expect(error.message.length > 10, () => `refused with "${error.message}"`);
          outcome += ' refused';
        }
        const names = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
        expect(names === CLEAN, () => `the prototype of all objects has ${names}`);
        return outcome;
      },
      close() {
        rmSync(folder, { recursive: true, force: true });
        return Promise.resolve();
      },
    });
  },
};
