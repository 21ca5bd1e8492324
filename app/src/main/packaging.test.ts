import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';

// Run from the repository's root. electron-builder's own parser and schema decide, not a copy of them.
const require = createRequire(import.meta.url);
const builder = createRequire(require.resolve('electron-builder/package.json'));
const { load } = createRequire(builder.resolve('app-builder-lib'))('js-yaml') as {
  load(text: string): unknown;
};
const { validateConfiguration } = builder('app-builder-lib/out/util/config/config') as {
  validateConfiguration(config: unknown, log: { isEnabled: boolean; add(): void }): Promise<void>;
};

const text = readFileSync('electron-builder.yml', 'utf8');
const config = load(text) as Record<string, unknown>;
const validate = (candidate: unknown) => validateConfiguration(candidate, { isEnabled: false, add() {} });

describe('electron-builder.yml', () => {
  it('is accepted by electron-builder’s own schema, which refuses a misspelt key', async () => {
    await validate(structuredClone(config));
    await assert.rejects(validate({ ...structuredClone(config), asarr: true }), /asarr/);
    await assert.rejects(
      validate({ ...structuredClone(config), linux: { targt: 'deb' } }),
      /configuration\.linux/,
    );
  });

  it('builds AppImage, deb, dmg and nsis, and publishes nothing', () => {
    const { linux, mac, win, publish } = config as Record<string, { target: unknown }> & { publish: unknown };
    assert.deepEqual(linux?.target, ['AppImage', 'deb']);
    assert.deepEqual(mac?.target, [{ target: 'dmg', arch: 'universal' }]);
    assert.equal(win?.target, 'nsis');
    assert.equal(publish, null);
  });

  it('sets every fuse to its safe side', () => {
    assert.deepEqual(config['electronFuses'], {
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
    });
  });

  it('packs an allowlist of files, all of which the build makes', () => {
    const files = config['files'] as string[];
    assert.equal(files[0], '!**/*');
    const packed = files.filter((file) => file.startsWith('dist/'));
    assert.deepEqual(packed, [
      'dist/app/main/main.js',
      'dist/app/preload/preload.cjs',
      'dist/app/renderer/index.html',
      'dist/app/renderer/main.js',
      'dist/app/renderer/style.css',
      'dist/app/renderer/icon.svg',
    ]);
  });
});
