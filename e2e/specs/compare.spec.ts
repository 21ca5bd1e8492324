import { expect, test } from '../fixtures/test.ts';

test('an administrator compares the engine with node:zlib, sees progress, the multiples, and the run again after a reload', async ({
  monitor,
  service,
}) => {
  test.slow();
  const { page } = monitor;
  await monitor.show('compare');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(page.getByRole('dialog', { name: 'Admin token' })).toBeVisible();
  await page.keyboard.press('Escape');
  await monitor.becomeAdmin();
  // the page's own run takes five sizes; two are enough here, and any client's run shows on the page
  expect(await service.call('POST', '/v1/bench', { sizes: [8192, 65_536], seconds: 1 })).toBe(202);
  await expect(page.getByRole('progressbar', { name: 'Progress of the run' })).toBeVisible();
  await expect(page.locator('#compare')).toContainText(/of 4 · (node:zlib level 1|engine)/);
  await expect(page.locator('#compare-note')).toContainText(/^done · \d{4}-\d\d-\d\d/, { timeout: 40_000 });
  await expect(page.locator('#compare-note')).toContainText(/\d+ CPUs? .+, Node \d+/);
  const bars = page.getByRole('region', { name: 'Results as bars' });
  await expect(bars.locator('.bar-row')).toHaveCount(4);
  await expect(bars).toContainText('1 × 1, 64 KiB');
  await expect(bars.locator('.bar-multiple')).toHaveText([/^\d+\.\d+ ×$/, /^\d+\.\d+ ×$/]);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export run' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^warpdrive-comparison-.*\.json$/);
  await service.kill();
  await page.reload().catch(() => {});
  await service.start(); // the runs of the service are gone, those of the page are not
  await page.goto(`${service.url}/monitor/?view=compare`);
  await expect(page.locator('.bar-row')).toHaveCount(4);
});

test('an administrator starts a run from the page and cancels it', async ({ monitor }) => {
  const { page } = monitor;
  await monitor.becomeAdmin();
  await monitor.show('compare');
  await page.getByRole('combobox', { name: 'Experiment' }).selectOption('deck');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Run', exact: true })).toBeDisabled();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('#compare-note')).toContainText('cancelled', { timeout: 20_000 });
  await expect(page.getByRole('button', { name: 'Run', exact: true })).toBeEnabled();
});

test('an engineer reads what the traffic of this moment would cost in software, labelled as an estimate', async ({
  monitor,
  clients,
}) => {
  await monitor.show('compare');
  await expect(monitor.page.locator('#live-cost')).toContainText('Not known yet');
  clients.http(2, 200_000, 5);
  await expect(monitor.page.locator('#live-cost')).toContainText(
    /^[\d.]+ threads of node:zlib.*Sampled: \d+ piece/,
    {
      timeout: 15_000,
    },
  );
  await expect(monitor.page.locator('#panel-live-cost')).toContainText('estimate from samples');
});
