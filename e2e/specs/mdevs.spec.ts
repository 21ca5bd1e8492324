import { expect, test } from '../fixtures/test.ts';

test('an administrator creates an mdev, sees its time line, removes it, and reads why one in use is kept', async ({
  monitor,
}) => {
  const { page } = monitor;
  await monitor.show('mdevs');
  const rows = page.locator('#mdevs tbody tr');
  const before = await rows.count();
  await page.getByRole('button', { name: 'Create hisi_zip-zip', exact: true }).click();
  await expect(page.getByRole('dialog', { name: 'Admin token' })).toBeVisible();
  await page.keyboard.press('Escape');
  await monitor.becomeAdmin();
  const type = page.locator('.mdev-type').first();
  const free = async () => Number(/(\d+) free/.exec((await type.textContent()) ?? '')?.[1]);
  const freeBefore = await free();
  await page.getByRole('button', { name: 'Create hisi_zip-zip', exact: true }).click();
  await expect(rows).toHaveCount(before + 1);
  await expect.poll(free).toBe(freeBefore - 1);
  const created = rows.filter({ hasText: 'created' });
  const uuid = (await created.getAttribute('data-key')) ?? '';
  const timeLine = page.getByRole('list', { name: 'Time line of mdev states' });
  await expect(timeLine.locator('li').first()).toContainText(`created${uuid.slice(0, 8)}`);
  await created.click();
  await page.getByRole('button', { name: 'Remove' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(rows).toHaveCount(before);
  await expect(timeLine.locator('li').first()).toContainText('removed');
  await rows.filter({ hasText: 'active' }).first().click();
  await page.getByRole('button', { name: 'Remove' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.locator('#mdevs')).toContainText(/Refused\. EBUSY: resource in use/);
  await expect(rows).toHaveCount(before);
});
