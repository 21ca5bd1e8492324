import { expect, test } from '../fixtures/test.ts';

test('an engineer is told of a burst of faults, acknowledges it, and finds it in the history when it ended', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  const bar = page.locator('#alarm-bar');
  const burst = clients.broken(5);
  await expect(bar).toContainText(/Burst of IOMMU faults: [\d.]+ faults\/s.*The fault log names/, {
    timeout: 15_000,
  });
  expect(await monitor.axe('#alarm-bar')).toEqual([]);
  await page.getByRole('button', { name: 'Show alarms' }).click();
  const rule = page.getByRole('row').filter({ hasText: 'Burst of IOMMU faults' });
  await expect(rule).toContainText('fires for');
  await rule.getByRole('button', { name: 'Acknowledge Burst of IOMMU faults' }).click();
  await expect(rule).toContainText('acknowledged');
  await expect(bar).toBeHidden();
  burst.kill('SIGKILL');
  await expect(rule).toContainText('quiet');
  const log = page.getByRole('list', { name: 'What fired and ended, newest first' });
  await expect(log.locator('li')).toHaveText([/Burst of IOMMU faults ended/, /Burst of IOMMU faults fired/]);
});

test('an engineer lets the system notify of alarms, mutes one for an hour, and is left in peace', async ({
  page,
  monitor,
  service,
}) => {
  await page.context().grantPermissions(['notifications']);
  await page.addInitScript(() => {
    const told: string[] = [];
    Object.assign(window, { told });
    window.Notification = class extends Notification {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options);
        told.push(`${title}: ${options?.body}`);
      }
    };
  });
  await page.reload();
  await expect(monitor.state).toHaveText(/Live/);
  const told = () => page.evaluate(() => Reflect.get(window, 'told') as string[]);
  await monitor.show('alarms');
  await page.getByRole('checkbox', { name: 'System notifications' }).check();
  const bar = page.locator('#alarm-bar');
  service.pause();
  await expect(bar).toContainText('No data', { timeout: 10_000 });
  await expect.poll(told).toEqual([expect.stringMatching(/^No data: [\d.]+ s on 127\.0\.0\.1:\d+$/)]);
  const rule = page.getByRole('row').filter({ hasText: 'No data' });
  await rule.getByRole('button', { name: 'Mute 1 h No data' }).click();
  await expect(bar).toBeHidden();
  await expect(rule).toContainText('muted');
  service.resume();
  await expect(rule).toContainText('quiet, muted', { timeout: 20_000 });
  service.pause();
  await expect(rule).toContainText('fires for', { timeout: 10_000 });
  await expect(bar).toBeHidden();
  expect(await told()).toHaveLength(1);
  await rule.getByRole('button', { name: 'Unmute No data' }).click();
  await expect(bar).toContainText('No data');
});

test('an engineer changes a threshold and a duration, switches a rule off, and finds all after a reload', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  await monitor.show('alarms');
  const threshold = page.getByRole('spinbutton', { name: 'Threshold of Burst of IOMMU faults' });
  await threshold.fill('0');
  await threshold.press('Tab');
  await expect(page.getByText('A threshold is a number above 0')).toBeVisible();
  await threshold.fill('5000');
  await threshold.press('Tab');
  const seconds = page.getByRole('spinbutton', { name: 'Seconds before Burst of IOMMU faults fires' });
  await seconds.fill('-1');
  await seconds.press('Tab');
  await expect(page.getByText('An alarm waits 0 to 3600 s before it fires')).toBeVisible();
  await expect(seconds).toHaveValue('1');
  await seconds.fill('2.5');
  await seconds.press('Tab');
  await page.getByRole('checkbox', { name: 'No data is on' }).uncheck();
  await page.reload();
  await expect(page.locator('body')).toHaveAttribute('data-view', 'alarms');
  await expect(threshold).toHaveValue('5000');
  await expect(seconds).toHaveValue('2.5');
  await expect(page.getByRole('checkbox', { name: 'No data is on' })).not.toBeChecked();
  clients.broken(5, 100);
  await expect(monitor.page.getByRole('row').filter({ hasText: 'Burst' })).toContainText(
    /[1-9][\d.]*\s*above/,
  );
  await expect(page.locator('#alarm-bar')).toBeHidden();
  await page.getByRole('button', { name: 'Defaults' }).click();
  await expect(threshold).toHaveValue('5');
  await expect(seconds).toHaveValue('1');
});

test('an engineer is told that data stopped coming', async ({ monitor, service }) => {
  service.pause();
  await expect(monitor.page.locator('#alarm-bar')).toContainText('No data', { timeout: 10_000 });
  service.resume();
  await expect(monitor.page.locator('#alarm-bar')).toBeHidden();
});
