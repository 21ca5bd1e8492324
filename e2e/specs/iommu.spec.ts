import { expect, test } from '../fixtures/test.ts';

test('an engineer meets real faults: decoded, with the next action, searched by fields, and followed', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  await monitor.show('iommu');
  clients.broken(100);
  const list = page.getByRole('listbox', { name: 'Fault log, newest first' });
  await expect(list.getByRole('option').first()).toBeVisible({ timeout: 10_000 });
  const detail = page.getByRole('article', { name: 'Fault details' });
  await expect(detail).toContainText('F_TRANSLATION');
  await expect(detail).toContainText('Next: Map the buffer before submitting');
  await expect(detail.locator('code')).toContainText(/arm-smmu-v3: event: F_TRANSLATION .* ssid: hidden/);
  await expect(detail).toContainText(/process broken-client \d+/);
  const seq = async () => Number(/#(\d+)/.exec((await detail.textContent()) ?? '')?.[1]);
  const before = await seq();
  await expect.poll(seq).toBeGreaterThan(before); // it follows the newest
  await list.getByRole('option').nth(1).click();
  await monitor.settle(); // the page draws a few times a second
  const picked = await seq();
  await monitor.settle();
  expect(await seq()).toBe(picked);
  await page.getByRole('button', { name: 'Follow newest' }).click();
  await expect.poll(seq).toBeGreaterThan(picked);

  await page.keyboard.press('f');
  await page.keyboard.type('access:write reason:not');
  await expect(page.locator('#faults-note')).toContainText(/\d+ of \d+ faults/);
  await expect
    .poll(async () =>
      (await list.getByRole('option').filter({ visible: true }).allInnerTexts()).every((text) =>
        text.includes('write'),
      ),
    )
    .toBe(true);
  const outcome = page.getByRole('combobox', { name: 'Outcome of faults' });
  await outcome.selectOption('resolved');
  await expect(page.locator('#faults')).toContainText(/No fault matches “.* outcome:resolved”/);
  await outcome.selectOption('aborted');
  await page.getByRole('combobox', { name: 'Device of faults' }).selectOption('hisi_zip-0');
  await expect(page.locator('#faults-note')).toContainText(/[1-9]\d* of \d+ faults/);
  await expect(list.getByRole('option').first()).toContainText(/aborted.*broken-client \d+/);
  await outcome.selectOption('');
  await page.getByRole('combobox', { name: 'Device of faults' }).selectOption('');
  await page.getByRole('searchbox', { name: 'Search faults' }).fill('pasid:77');
  await expect(page.locator('#faults')).toContainText('No fault matches “pasid:77”');
  await page.keyboard.press('Escape');
  await expect(list.getByRole('option').first()).toBeVisible();
});

test('an engineer jumps from a fault to that moment in the charts, and back to the fault', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  await monitor.show('iommu');
  clients.broken(20, 2);
  const detail = page.getByRole('article', { name: 'Fault details' });
  await expect(detail).toContainText('#2 ·', { timeout: 10_000 });
  await page.getByRole('button', { name: 'Show in the charts' }).click();
  await expect(page.locator('body')).toHaveAttribute('data-view', 'charts');
  await expect(page.locator('#zoom-word')).toHaveText(/\d\d:\d\d:\d\d – \d\d:\d\d:\d\d/);
  await page.getByRole('button', { name: 'Faults of this moment' }).click();
  await expect(page.locator('body')).toHaveAttribute('data-view', 'iommu');
  await expect(detail).toContainText('#2 ·');
});

test('an engineer copies a fault of the log and has all of it to paste into a report', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await monitor.show('iommu');
  clients.broken(20, 3);
  const list = page.getByRole('listbox', { name: 'Fault log, newest first' });
  await expect(list.getByRole('option').filter({ visible: true })).toHaveCount(3, { timeout: 15_000 });
  await list.getByRole('option').nth(1).click();
  const detail = page.getByRole('article', { name: 'Fault details' });
  await expect(detail).toContainText('#2 ·');
  await detail.getByRole('button', { name: 'Copy' }).click();
  await expect(detail.getByRole('button', { name: 'Copied' })).toBeVisible();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as Record<
    string,
    unknown
  >;
  expect(copied).toMatchObject({
    seq: 2,
    device: 'hisi_zip-0',
    outcome: 'aborted',
    owner: { name: 'broken-client' },
  });
  expect(copied['kernelLine']).toContain('arm-smmu-v3: event:');
});

test('an administrator reads the tree with PASIDs, anyone else without', async ({ monitor, clients }) => {
  const { page } = monitor;
  clients.attached('vfio', 1, 'backup');
  await monitor.show('iommu');
  const tree = page.getByRole('list', { name: 'IOMMU groups' });
  await expect(tree).toContainText('0000:75:00.0');
  await expect(tree).toContainText(/backup \d+/);
  await expect(tree).not.toContainText(/PASID \d/);
  await expect(page.locator('#iommu-note')).toContainText('PASIDs hidden');
  await expect(page.locator('#iommu')).toContainText(/IOTLB hits/);
  await monitor.show('queues');
  await monitor.queueRows.filter({ hasText: 'backup' }).click();
  const memory = page.getByRole('region', { name: 'Details of a queue' }).locator('dt:text("Memory") + dd');
  await expect(memory).toHaveText('PASID hidden, dma: filled by map and unmap');
  await monitor.becomeAdmin();
  await expect(memory).toHaveText(/^PASID \d+, dma/);
  await monitor.show('iommu');
  await expect(tree).toContainText(/PASID \d+/);
});

test('an administrator sees a stalled transaction with its age and answers it', async ({
  monitor,
  clients,
  service,
}) => {
  const { page } = monitor;
  await monitor.show('iommu');
  expect(await service.call('PATCH', '/v1/iommu', { hold: true })).toBe(200);
  clients.faulting('waiter');
  await expect(page.locator('#iommu')).toContainText(/transactions? waiting for a page/, { timeout: 10_000 });
  await expect(page.locator('.stall-age').first()).toHaveText(/\d+(\.\d)? s/);
  await monitor.becomeAdmin();
  await page
    .getByRole('button', { name: /^Answer success to the/ })
    .first()
    .click();
  await expect(page.getByRole('dialog', { name: 'Answer success?' })).toBeVisible();
  expect(await monitor.axe('dialog[open]')).toEqual([]);
  await page.getByRole('dialog').getByRole('button', { name: 'Answer success' }).click();
  await expect(page.getByText('Answered success.')).toBeVisible();
  expect(await service.call('PATCH', '/v1/iommu', { hold: false })).toBe(200);
  await expect(page.locator('#iommu')).not.toContainText(/waiting for a page/, { timeout: 10_000 });
});
