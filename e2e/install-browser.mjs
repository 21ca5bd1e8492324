// Makes sure that there is a Chromium for the tests: the system's, else Playwright's own, else (root on Debian and
// Ubuntu) the distribution's package. Ends with a sentence when none can be had.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const SYSTEM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const run = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;
const isThere = () =>
  [process.env.WARPDRIVE_CHROMIUM, ...SYSTEM, chromium.executablePath()].some(
    (path) => path && existsSync(path),
  );

const ways = [
  () =>
    process.getuid?.() === 0 &&
    existsSync('/usr/bin/apt-get') &&
    run('apt-get', ['update', '-qq']) &&
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']),
  () => run('npx', ['playwright', 'install', 'chromium']),
];
for (const way of ways) {
  if (isThere()) break;
  way();
}
if (!isThere()) {
  console.error(
    'No Chromium for the browser tests. Install it (Debian: apt-get install chromium), let Playwright fetch its own ' +
      '(npx playwright install chromium), or name one with WARPDRIVE_CHROMIUM=/path/to/chromium.',
  );
  process.exit(1);
}
