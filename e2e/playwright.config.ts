import { defineConfig } from '@playwright/test';
import { browserOptions } from './fixtures/browser.ts';

// `screenshots` writes docs/images/ and runs only when it is asked for.
const wantsScreenshots = process.env['WARPDRIVE_SCREENSHOTS'] === '1';

export default defineConfig({
  testDir: 'specs',
  outputDir: 'results',
  timeout: 30_000,
  expect: { timeout: 7_000 },
  fullyParallel: true,
  workers: 2,
  reporter: 'list',
  globalSetup: './fixtures/global-setup.ts',
  use: {
    viewport: { width: 1440, height: 900 },
    launchOptions: browserOptions(),
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'chromium', testIgnore: ['electron.spec.ts', 'screenshots.spec.ts'] },
    { name: 'electron', testMatch: 'electron.spec.ts' },
    ...(wantsScreenshots ? [{ name: 'screenshots', testMatch: 'screenshots.spec.ts' }] : []),
  ],
});
