import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findElectronBinary } from './electron-binary.ts';

const probeOf = (existing: string[], env: Record<string, string> = {}, pathFile?: string) => ({
  env,
  readPackageFile: () => pathFile,
  packagePath: (name: string) => `/electron/${name}`,
  exists: (path: string) => existing.includes(path),
});

describe('findElectronBinary', () => {
  it('finds the binary that the package downloaded', () => {
    assert.equal(findElectronBinary(probeOf(['/electron/dist/e.exe'], {}, 'e.exe')), '/electron/dist/e.exe');
  });
  it('finds the binary of a folder that the environment names', () => {
    const env = { ELECTRON_OVERRIDE_DIST_PATH: '/opt/electron' };
    assert.equal(findElectronBinary(probeOf(['/opt/electron/electron'], env)), '/opt/electron/electron');
  });
  it('finds nothing where nothing was downloaded', () => {
    assert.equal(findElectronBinary(probeOf([])), undefined);
    assert.equal(findElectronBinary(probeOf([], {}, 'electron')), undefined);
  });
});
