import { expect, test } from '../fixtures/test.ts';

const VIEWS = ['overview', 'queues', 'iommu', 'charts', 'compare', 'mdevs', 'alarms', 'all'] as const;
const SHEETS = [
  ['?', 'Keys'],
  ['a', 'Admin token'],
  ['s', 'Services'],
  ['e', 'Export'],
] as const;
const SIZES = [
  [1024, 768],
  [1440, 900],
  [2560, 1440],
] as const;

for (const scheme of ['dark', 'light'] as const) {
  test(`a person with a screen reader meets no barrier in any panel or sheet, ${scheme} theme (axe)`, async ({
    monitor,
    clients,
    complaints,
  }) => {
    test.slow();
    await monitor.page.emulateMedia({ colorScheme: scheme });
    clients.http(2, 50_000, 20);
    clients.broken(50, 6);
    await expect(monitor.tile('IOMMU faults')).toContainText('6 in the last minute', { timeout: 15_000 });
    const found: Record<string, string[]> = {};
    await monitor.show('all'); // every panel
    await monitor.queueRows.first().click();
    await monitor.settle();
    // the light theme differs in its colours only
    const rules = scheme === 'light' ? ['color-contrast'] : undefined;
    const violations = await monitor.axe('html', rules);
    if (violations.length > 0) found['panels'] = violations;
    for (const [key, title] of SHEETS) {
      await monitor.page.keyboard.press(key);
      const sheet = monitor.page.getByRole('dialog', { name: title });
      await expect(sheet).toBeVisible();
      const inSheet = await monitor.axe('dialog[open]', rules);
      if (inSheet.length > 0) found[title] = inSheet;
      await monitor.page.keyboard.press('Escape');
      await expect(sheet).toBeHidden();
    }
    expect(found).toEqual({});
    expect(complaints).toEqual([]);
  });
}

test('a person finds every view without scrolling sideways, from 1024 to 2560 pixels', async ({
  monitor,
}) => {
  const found: string[] = [];
  for (const [width, height] of SIZES) {
    await monitor.page.setViewportSize({ width, height });
    for (const view of VIEWS) {
      await monitor.show(view);
      await monitor.page.waitForTimeout(200);
      const wide = await monitor.page.evaluate(() =>
        ['html', '.strip', '.bar', '.page', '.panel-head'].flatMap((selector) =>
          [...document.querySelectorAll(selector)]
            .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth + 1)
            .map((element) => `${selector} ${element.textContent?.trim().slice(0, 30)}`),
        ),
      );
      found.push(...wide.map((what) => `${width} ${view}: ${what}`));
    }
  }
  expect(found).toEqual([]);
});

test('a person opens a link to a view and finds that view', async ({ page, service }) => {
  await page.goto(`${service.url}/monitor/?view=iommu`);
  await expect(page.getByRole('heading', { name: 'IOMMU', exact: true })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Throughput', exact: true })).toBeHidden();
});

test('a person on the first start begins a demo load and sees it arrive', async ({ monitor }) => {
  await monitor.notice.getByRole('button', { name: 'Start a demo load' }).click();
  await expect(monitor.notice).toBeHidden();
  await expect(monitor.tile('Jobs')).toContainText(/[1-9][\d,]* in all/);
});

test('a person does everything with the keyboard: to a tab, a table row, its details', async ({
  monitor,
}) => {
  const { page } = monitor;
  await monitor.show('queues');
  await page.locator('#queues tbody tr').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const second = await monitor.queueRows.nth(1).getAttribute('data-key');
  await expect(page.getByRole('heading', { name: `Queue ${second}` })).toBeVisible();
  await expect(monitor.queueRows.nth(1)).toBeFocused();
});
