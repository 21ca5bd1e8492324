import { Load } from '../fixtures/load.ts';
import { expect, test } from '../fixtures/test.ts';
import type { MonitorPage } from '../pages/monitor-page.ts';

// WARPDRIVE_SCREENSHOTS=1 npx playwright test -c e2e/playwright.config.ts --project screenshots
test.describe.configure({ mode: 'serial', timeout: 150_000 });
test.use({ colorScheme: 'dark' });

const shot = (monitor: MonitorPage, name: string) =>
  monitor.page.screenshot({ path: `docs/images/${name}.png`, animations: 'disabled' });

test('idle', async ({ monitor }) => {
  await monitor.settle();
  await shot(monitor, 'monitor-idle');
});

test('under load, in both themes, then disconnected', async ({ monitor, service }) => {
  const big = new Load(service, 3, 12_000_000);
  const small = new Load(service, 4, 48_000);
  await monitor.page.waitForTimeout(62_000);
  await shot(monitor, 'monitor-load');
  await monitor.page.emulateMedia({ colorScheme: 'light' });
  await monitor.settle();
  await shot(monitor, 'monitor-load-light');
  await service.kill();
  await Promise.all([big.stop(), small.stop()]);
  await expect(monitor.state).toHaveText(/Reconnecting/);
  await monitor.page.waitForTimeout(2_000);
  await monitor.page.emulateMedia({ colorScheme: 'dark' });
  await monitor.settle();
  await shot(monitor, 'monitor-disconnected');
});
