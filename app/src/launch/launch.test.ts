import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../launch/launch.js', import.meta.url));

describe('npm run app, npm run dist', () => {
  it('starts and packages nothing without a binary, and says how to get it', () => {
    const empty = mkdtempSync(join(tmpdir(), 'warpdrive-launch-'));
    try {
      for (const task of ['start', 'package']) {
        // a mirror that refuses at once stands for a machine without a way out
        const env = {
          ...process.env,
          ELECTRON_OVERRIDE_DIST_PATH: empty,
          ELECTRON_MIRROR: 'http://127.0.0.1:9/',
        };
        const { status, stderr } = spawnSync(process.execPath, [entry, task], { env, encoding: 'utf8' });
        assert.equal(status, 69, task);
        assert.match(stderr, /^The Electron binary is not on this machine, and downloading it failed\.\n/);
        assert.match(stderr, /npm start.*ELECTRON_MIRROR.*ELECTRON_OVERRIDE_DIST_PATH/s);
      }
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  });
});
