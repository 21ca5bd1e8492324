/** What comes with the package: nothing unpinned, nothing that must run at install, no licence that binds its users. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PACKAGE_ROOT } from '../../src/ops/package.ts';

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
  hasInstallScript?: boolean;
  resolved?: string;
}

const json = (path: string) =>
  JSON.parse(readFileSync(join(PACKAGE_ROOT, path), 'utf8')) as Record<string, unknown>;
const manifest = json('package.json') as Record<'dependencies' | 'devDependencies', Record<string, string>>;
const locked = Object.entries(json('package-lock.json')['packages'] as Record<string, Locked>).filter(
  ([path]) => path !== '',
);
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** They have one and work without: docs/security.md says why. */
const INSTALL_SCRIPTS = ['electron-winstaller', 'esbuild', 'koffi'];
/** Of what is installed with the package. Development tools may have more, but none that is viral. */
const LICENCES = /^(MIT|ISC|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|0BSD|BlueOak-1\.0\.0)$/;
const VIRAL = /GPL|AGPL|SSPL|BUSL|UNLICENSED/;

describe('dependencies', () => {
  it('have exact versions', () => {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
  });

  it('run no code at install but three that are known, whose scripts CI leaves out', () => {
    const found = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    assert.deepEqual(found.sort(), INSTALL_SCRIPTS);
    assert.match(readFileSync(join(PACKAGE_ROOT, '.ci/run'), 'utf8'), /npm ci --ignore-scripts/);
  });

  it('have licences that let everybody use the package', () => {
    for (const [path, { license = '', dev }] of locked) {
      assert.doesNotMatch(license, VIRAL, path);
      if (!dev) assert.match(license, LICENCES, path);
    }
  });

  it('come from the registry, by no address of their own', () => {
    for (const [path, { resolved }] of locked)
      if (resolved !== undefined) assert.match(resolved, /^https:\/\/registry\.npmjs\.org\//, path);
  });
});
