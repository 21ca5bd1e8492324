import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';

/** Each panel by its id says these words. */
async function expectInPanels(page: Page, expected: readonly (readonly [string, string | RegExp])[]) {
  for (const [panel, words] of expected) {
    await page.locator(`#${panel}`).scrollIntoViewIfNeeded(); // panels out of sight are not drawn
    await expect(page.locator(`#${panel}`)).toContainText(words);
  }
}

test('a person opens the page of a service that is silent and reads in each panel what is awaited', async ({
  page,
  service,
}) => {
  await page.routeWebSocket(/v1\/monitor/, () => {}); // the connection opens, nothing comes
  await page.goto(`${service.url}/monitor/?view=all`);
  await expect(page.locator('#state')).toHaveText(/Connecting|No data/);
  await expectInPanels(page, [
    ['notice', /Connecting to 127\.0\.0\.1:\d+|No data/],
    ['devices', 'Waiting for the first reading.'],
    ['queues', 'Queues appear here once the service answers.'],
    ['queue', 'Choose a queue in the table'],
    ['iommu', 'The tree appears here once the service answers.'],
    ['faults', 'Faults appear here once the service answers.'],
    ['live-cost', 'Not known yet.'],
    ['compare', 'Runs appear here once the service answers.'],
    ['mdevs', 'Instances appear here once the service answers.'],
    ['alarms', 'Nothing has fired since this page was opened.'],
  ]);
  await expect(page.locator('.tile-value')).toHaveText(Array.from({ length: 8 }, () => '–'));
});

test('a person looks at an idle service and finds in each panel why it is empty and what comes next', async ({
  monitor,
}) => {
  const { page } = monitor;
  await monitor.show('all');
  await expectInPanels(page, [
    ['notice', /No bytes yet.*curl/],
    ['queue', 'click it, or move to it with the arrow keys and press Enter'],
    ['faults', /No faults since the service started at \d\d:\d\d:\d\d/],
    ['live-cost', 'Once clients compress'],
    ['compare', 'No run yet. Press Run'],
    ['mdevs', 'Choose an instance to remove it.'],
    ['alarms', 'Nothing has fired since this page was opened.'],
  ]);
  expect(await monitor.axe()).toEqual([]);
});

test('a person without the admin token reads in each panel what needs it, and is asked for it', async ({
  monitor,
  service,
  clients,
}) => {
  const { page } = monitor;
  clients.faulting('waiter');
  await expect(monitor.queueRows.filter({ hasText: 'waiter' })).toHaveCount(1, { timeout: 15_000 });
  expect(await service.call('PATCH', '/v1/iommu', { hold: true })).toBe(200);
  const sheet = page.getByRole('dialog', { name: 'Admin token' });
  const isAsked = async (button: string | RegExp) => {
    await page.getByRole('button', { name: button, exact: true }).first().click();
    await expect(sheet).toBeVisible();
    await expect(sheet).toContainText('The service prints the token’s file when it starts');
    await page.keyboard.press('Escape');
    await expect(sheet).toBeHidden();
  };
  await monitor.show('iommu');
  await expect(page.locator('#iommu-note')).toHaveText('PASIDs hidden: admin token (A)');
  await expect(page.locator('.stall-age').first()).toBeVisible({ timeout: 10_000 });
  await isAsked(/^Answer invalid to the/);
  expect(await service.call('PATCH', '/v1/iommu', { hold: false })).toBe(200);
  await monitor.show('queues');
  await monitor.queueRows.filter({ hasText: 'waiter' }).click();
  await isAsked('Reset queue');
  await monitor.show('compare');
  await isAsked('Run');
  await expect(page.locator('#compare')).toContainText('A run needs the administrator');
  await monitor.show('mdevs');
  await expect(page.locator('.mdev-type').first()).toContainText('create needs the admin token');
  await isAsked('Create hisi_zip-zip');
  await expect(page.locator('#mdevs')).toContainText('Creating and removing needs the admin token.');
});

test('a person whose service is gone for half a minute reads Lost, and R finds it when it is back', async ({
  page,
  monitor,
  service,
}) => {
  await page.clock.install();
  await page.reload();
  await expect(monitor.state).toHaveText(/Live/);
  await service.kill();
  await expect(monitor.state).toHaveText(/Reconnecting/);
  for (let i = 0; i < 4; i++) {
    await page.clock.fastForward(16_000); // beyond the longest wait
    await page.waitForTimeout(200);
  }
  await expect(monitor.state).toHaveText(/Lost · next try/);
  await expect(monitor.staleTags.first()).toHaveText(/not live: as of/);
  await service.start();
  await page.keyboard.press('r');
  await expect(monitor.state).toHaveText(/Live/);
  await expect(monitor.staleTags).toHaveCount(0);
});

test('a person who asked for less motion sees figures change and nothing move by itself', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  clients.http(1, 100_000, 10);
  await expect(monitor.tile('Jobs')).toContainText(/[1-9]\d* in all/);
  await monitor.show('all');
  await page.keyboard.press('?');
  const moving = await page.evaluate(() => [
    ...document.getAnimations().map((animation) => animation.id),
    ...[...document.querySelectorAll('*')]
      .filter((element) => {
        const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
        return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior === 'smooth';
      })
      .map(({ tagName, className }) => `${tagName}.${String(className)}`),
  ]);
  expect(moving).toEqual([]);
});
