import { Load } from '../fixtures/load.ts';
import { Service } from '../fixtures/service.ts';
import { expect, test } from '../fixtures/test.ts';

test('an engineer adds a second service by its address, switches between both, and removes it again', async ({
  monitor,
  service,
  clients,
  complaints,
}) => {
  const { page } = monitor;
  const second = new Service();
  await second.start('--allow-origin', service.url);
  try {
    clients.http(1, 100_000, 20);
    await page.keyboard.press('s');
    await page.getByLabel('Address of a service').fill('no address at all');
    await page.keyboard.press('Enter');
    await expect(page.getByText(/is no address such as/)).toBeVisible();
    await page.getByLabel('Address of a service').fill(second.url.replace('http://', ''));
    await page.keyboard.press('Enter');
    const tabs = page.locator('.service-tab');
    await expect(tabs).toHaveCount(2);
    const other = tabs.filter({ hasText: second.url.replace('http://', '') });
    await expect(other).toContainText('MB/s');
    await expect(tabs.first()).toContainText(/[\d.]+ MB\/s/);
    await expect(monitor.tile('Throughput in')).toContainText(/[1-9][\d.]* MB in all|kB in all/);
    await other.click();
    await expect(page.locator('#facts')).toContainText(second.url.replace('http://', ''));
    await expect(monitor.tile('Throughput in')).toContainText('0 B in all');
    await monitor.becomeAdmin(); // the second one's rights, over its own origin
    await second.kill();
    await expect(other).toContainText('reconnecting');
    await expect(monitor.state).toHaveText(/Reconnecting/);
    await tabs.first().click();
    await expect(monitor.state).toHaveText(/Live/);
    await page.reload();
    await expect(tabs).toHaveCount(2);
    await page.keyboard.press('s');
    await page.getByRole('button', { name: `Remove ${second.url.replace('http://', '')}` }).click();
    await expect(tabs).toHaveCount(1);
    await expect(page.locator('#service-tabs')).toBeHidden();
    expect(complaints.filter((line) => line.startsWith('error: policy'))).toEqual([]);
  } finally {
    await second.dispose();
  }
});

test('an engineer compares the throughput of two services in one chart, each with its own line and value', async ({
  monitor,
  service,
}) => {
  const { page } = monitor;
  const second = new Service();
  await second.start('--allow-origin', service.url);
  const load = new Load(second, 2, 1_000_000);
  try {
    await expect(page.locator('#panel-services')).toBeHidden();
    const address = new URL(`${service.url}/monitor/?view=charts`);
    for (const { url } of [service, second]) address.searchParams.append('service', url);
    await page.goto(address.href);
    const chart = page.getByRole('region', { name: 'Services, throughput in' });
    const [idle, busy] = [service, second].map(({ url }) =>
      chart.locator('.legend-item').filter({ hasText: url.replace('http://', '') }),
    );
    if (idle === undefined || busy === undefined) throw new Error('two services were named');
    await expect(busy).toContainText(/[1-9][\d.]* MB\/s/, { timeout: 15_000 });
    await expect(idle).toContainText(/ 0 MB\/s/);
    const dashes = await chart
      .locator('.legend path')
      .evaluateAll((paths) => paths.map((path) => path.getAttribute('stroke-dasharray')));
    expect(new Set(dashes).size).toBe(2);
    await page.locator('#services-chart').hover({ position: { x: 200, y: 40 } });
    await expect(chart.locator('.legend-moment')).toHaveText(/^at \d\d:\d\d:\d\d/);
    await expect(page.locator('#chart-jobs')).toBeVisible();
    expect(await monitor.axe('#panel-services')).toEqual([]);
    await page.setViewportSize({ width: 1024, height: 768 });
    const last = await page.locator('#tabs .tab').last().boundingBox();
    const others = await page.locator('#service-tabs').boundingBox();
    if (!last || !others) throw new Error('the bar has views and services');
    expect(last.x + last.width).toBeLessThanOrEqual(others.x);
  } finally {
    await load.stop();
    await second.dispose();
  }
});
