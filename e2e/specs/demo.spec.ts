import { Film } from '../fixtures/film.ts';
import { expect, test } from '../fixtures/test.ts';

// The story of `npm run demo`, recorded: screenshots, a trace and a video are in e2e/results.
test.use({
  trace: 'on',
  viewport: { width: 1440, height: 900 },
  colorScheme: 'dark',
});

test('an engineer watches several clients, meets one with a defect, finds its process, and sees the cost in software', async ({
  monitor,
  clients,
}, testInfo) => {
  test.slow();
  const { page } = monitor;
  const keep = (name: string) => page.screenshot({ path: testInfo.outputPath(`${name}.png`) });
  const film = await Film.of(page);
  await expect(monitor.notice).toContainText('No bytes yet');
  clients.http(2, 200_000, 20);
  clients.attached('sva', 2, 'log-shipper', 10);
  clients.attached('vfio', 1, 'backup', 30);
  await expect(monitor.queueRows.filter({ hasText: 'log-shipper' })).toHaveCount(2, { timeout: 15_000 });
  await expect(monitor.tile('Throughput in')).toContainText(
    /[\d.]*[1-9][\d.]* \+ [\d.]*[1-9][\d.]* attached/,
  );
  await keep('1-busy');

  const broken = clients.broken(20);
  await expect(page.locator('#alarm-bar')).toContainText('Burst of IOMMU faults', { timeout: 15_000 });
  await keep('2-alarm');
  await monitor.show('iommu');
  await expect(page.getByRole('article', { name: 'Fault details' })).toContainText(
    new RegExp(`process broken-client ${broken.pid}`),
  );
  await expect(page.getByRole('list', { name: 'IOMMU groups' })).toContainText(`broken-client ${broken.pid}`);
  await keep('3-faults');
  await page.getByRole('button', { name: 'Show in the charts' }).click();
  await expect(page.locator('#zoom-word')).toBeVisible();
  await keep('4-moment');
  await page.keyboard.press('Escape');
  await monitor.show('queues');
  await monitor.queueRows.filter({ hasText: 'broken-client' }).click();
  const details = page.getByRole('region', { name: 'Details of a queue' });
  await expect(details).toContainText(/0 good, [1-9]\d* failed/);
  await keep('5-queue');
  broken.kill('SIGKILL');
  await expect(page.locator('#queue-note')).toHaveText('closed');
  await expect(page.locator('#alarm-bar')).toBeHidden();
  await monitor.show('compare');
  await expect(page.locator('#live-cost')).toContainText('Sampled');
  await keep('6-cost');
  expect(await film.save(testInfo.outputPath('demo.webm'))).toBeGreaterThan(100_000);
  expect(broken.exitCode).toBe(null); // it never crashed by itself: its jobs ended with errors
});
