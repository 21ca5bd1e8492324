import { expect, test } from '../fixtures/test.ts';

test('an engineer follows a queue: its row stays chosen while it sorts, its details tell what became of its SQEs', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  clients.attached('sva', 1, 'log-shipper');
  clients.http(2, 100_000, 10);
  await monitor.show('queues');
  const row = monitor.queueRows.filter({ hasText: 'log-shipper' });
  await row.click();
  await expect(row).toHaveAttribute('aria-selected', 'true');
  await monitor.header('Ops/s').getByRole('button').click();
  await expect(row).toHaveAttribute('aria-selected', 'true');
  const details = page.getByRole('region', { name: 'Details of a queue' });
  await expect(details).toContainText(/log-shipper, process \d+/);
  await expect(details).toContainText(/[1-9][\d,]* completed: [1-9][\d,]* good, 0 failed/);
  await expect(details).toContainText(/p99 [\d.]+ (µs|ms)/);
  await expect(details.getByRole('img')).toHaveCount(3);
});

test('an engineer sees in each row how its queue did in the last minute, and nothing drawn where nothing came', async ({
  monitor,
  clients,
}) => {
  await monitor.page.setViewportSize({ width: 1920, height: 1000 });
  clients.attached('sva', 1, 'log-shipper', 10);
  const row = monitor.queueRows.filter({ hasText: 'log-shipper' });
  /** How far the curve rises above the bottom of its canvas, in rows of pixels; 0 where nothing is drawn. */
  const rise = (canvas: HTMLCanvasElement) => {
    const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const first = [...pixels].findIndex((value, i) => i % 4 === 3 && value > 0);
    return first < 0 ? 0 : canvas.height - Math.floor(first / 4 / canvas.width);
  };
  await expect
    .poll(() => row.locator('.col-trend canvas').evaluate(rise), { timeout: 15_000 })
    .toBeGreaterThan(8);
  const idle = monitor.queueRows.filter({ hasText: 'decompress' }).first();
  expect(await idle.locator('.col-trend canvas').evaluate(rise)).toBeLessThan(4);
});

test('an administrator resets a queue after a confirmation; without the token the page asks for it', async ({
  monitor,
  clients,
  service,
}) => {
  const { page } = monitor;
  clients.attached('sva', 1, 'log-shipper');
  await monitor.show('queues');
  await monitor.queueRows.filter({ hasText: 'log-shipper' }).click();
  await page.getByRole('button', { name: 'Reset queue' }).click();
  await expect(page.getByRole('dialog', { name: 'Admin token' })).toBeVisible();
  await page.getByLabel('Token', { exact: true }).fill('not the token');
  await page.getByRole('button', { name: 'Use token' }).click();
  await expect(page.getByText('The service does not know this token.')).toBeVisible();
  await page.keyboard.press('Escape');
  await monitor.becomeAdmin();
  await page.getByRole('button', { name: 'Reset queue' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Reset queue' }).click();
  await page.getByRole('button', { name: 'Reset the queue' }).click();
  await expect(page.getByText('The queue was reset.')).toBeVisible();
  await expect
    .poll(async () => (await service.get<{ queues: unknown[] }>('/v1/queues')).queues.length)
    .toBeGreaterThan(0);
});
