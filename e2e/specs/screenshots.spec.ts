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

test('under load with a client that has defects, in both themes, then disconnected', async ({
  monitor,
  service,
  clients,
}) => {
  const { page } = monitor;
  clients.http(3, 400_000, 20);
  clients.http(1, 8_000_000, 100);
  clients.attached('sva', 3, 'log-shipper', 10);
  clients.attached('vfio', 2, 'backup', 40);
  clients.broken(900);
  await monitor.becomeAdmin();
  await page.waitForTimeout(40_000);
  await shot(monitor, 'monitor-load');
  await monitor.show('iommu');
  await monitor.settle();
  await shot(monitor, 'monitor-faults');
  await monitor.show('charts');
  await page.waitForTimeout(1_500);
  await shot(monitor, 'monitor-charts');
  await monitor.show('queues');
  await monitor.queueRows.filter({ hasText: 'log-shipper' }).first().click();
  await page.waitForTimeout(1_500);
  await shot(monitor, 'monitor-queues');
  await monitor.show('overview');
  await page.emulateMedia({ colorScheme: 'light' });
  await monitor.settle();
  await shot(monitor, 'monitor-load-light');
  await service.kill();
  await expect(monitor.state).toHaveText(/Reconnecting/);
  await page.waitForTimeout(2_000);
  await page.emulateMedia({ colorScheme: 'dark' });
  await monitor.settle();
  await shot(monitor, 'monitor-disconnected');
});
