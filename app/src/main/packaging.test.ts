import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

// Read as text, from the repository's root where tests run: what must be in the file is short and literal.
const config = readFileSync('electron-builder.yml', 'utf8');

describe('electron-builder.yml', () => {
  it('sets every fuse to its safe side', () => {
    const fuses = {
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
    };
    for (const [name, value] of Object.entries(fuses))
      assert.match(config, new RegExp(`^  ${name}: ${value}$`, 'm'));
  });
  it('packs an allowlist', () => {
    assert.match(config, /^files:.*\n {2}- "!\*\*\/\*"$/m);
  });
});
