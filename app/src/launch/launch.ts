import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findElectronBinary, MISSING_BINARY } from './electron-binary.ts';

// `npm run app` and `npm run dist`: both need Electron's binary, and both say so plainly where it cannot be had.
const DOWNLOAD_LIMIT_MS = 180_000;
const require = createRequire(import.meta.url);
const electronDir = dirname(require.resolve('electron/package.json'));
const packagePath = (name: string) => join(electronDir, name);

const find = () =>
  findElectronBinary({
    env: process.env,
    readPackageFile: (name) =>
      existsSync(packagePath(name)) ? readFileSync(packagePath(name), 'utf8') : undefined,
    packagePath,
    exists: existsSync,
  });

function download(): string | undefined {
  console.log('Downloading the Electron binary (once) …');
  const { status } = spawnSync(process.execPath, [packagePath('install.js')], {
    stdio: ['ignore', 'ignore', 'ignore'],
    timeout: DOWNLOAD_LIMIT_MS,
  });
  return status === 0 ? find() : undefined;
}

function run(command: string, args: readonly string[]): number {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined) console.error(error.message);
  return status ?? 1;
}

function main([task, ...args]: readonly string[]): number {
  const binary = find() ?? download();
  if (binary === undefined) {
    console.error(MISSING_BINARY);
    return 69; // EX_UNAVAILABLE
  }
  if (task === 'package') {
    const builder = require.resolve('electron-builder/cli.js');
    return run(process.execPath, [builder, '--publish', 'never', ...args]);
  }
  return run(binary, ['.', ...args]);
}

process.exitCode = main(process.argv.slice(2));
