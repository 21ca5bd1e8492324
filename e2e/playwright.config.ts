import { defineConfig } from '@playwright/test';
import { browserOptions } from './fixtures/browser.ts';

// `screenshots` writes docs/images/, `measure` prints figures; both run only when they are asked for.
const wantsMeasures = process.env['WARPDRIVE_MEASURE'] === '1';
const wantsScreenshots = process.env['WARPDRIVE_SCREENSHOTS'] === '1';

export default defineConfig({
  testDir: 'specs',
  outputDir: 'results',
  timeout: 90_000,
  expect: { timeout: 15_000 },
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
    { name: 'chromium', testIgnore: ['electron.spec.ts', 'screenshots.spec.ts', 'measure.spec.ts'] },
    { name: 'electron', testMatch: 'electron.spec.ts' },
    ...(wantsMeasures ? [{ name: 'measure', testMatch: 'measure.spec.ts' }] : []),
    ...(wantsScreenshots ? [{ name: 'screenshots', testMatch: 'screenshots.spec.ts' }] : []),
  ],
});
