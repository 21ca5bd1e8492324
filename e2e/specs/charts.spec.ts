import { expect, test } from '../fixtures/test.ts';

test('an engineer points at one chart and reads that moment on all of them', async ({ monitor, clients }) => {
  clients.http(2, 100_000, 10);
  await monitor.show('charts');
  await expect(monitor.tile('Jobs')).toContainText(/[1-9]\d* in all/);
  await monitor.page.waitForTimeout(2_500);
  await monitor.page.keyboard.press(' ');
  const box = (await monitor.page.locator('#chart-jobs').boundingBox())!;
  await monitor.page.mouse.move(box.x + box.width - 20, box.y + box.height / 2);
  const moment = monitor.page.locator('#panel-throughput .legend-moment');
  await expect(moment).toHaveText(/at \d\d:\d\d:\d\d/);
  const at = ((await moment.textContent()) ?? '').replace('at ', '');
  for (const title of ['Jobs', 'Engine cores busy', 'IOTLB hits', 'Event loop delay']) {
    const chart = monitor.page
      .getByRole('article', { name: title, exact: true })
      .filter({ has: monitor.page.locator('canvas[id]') });
    await expect(chart.locator('.legend-moment')).toHaveText(at);
  }
  await monitor.page.mouse.move(5, 5);
  await expect(moment).toHaveText('');
});

test('an engineer drags over a stretch of time, all charts zoom to it, and a double click leads back', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  clients.http(1, 100_000, 20);
  await monitor.show('charts');
  await page.waitForTimeout(1_500);
  const box = (await page.locator('#throughput').boundingBox())!;
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, y, { steps: 5 });
  await page.mouse.up();
  const zoom = page.locator('#zoom-word');
  await expect(zoom).toHaveText(/\d\d:\d\d:\d\d – \d\d:\d\d:\d\d/);
  const fixed = await zoom.textContent();
  await monitor.settle();
  await expect(zoom).toHaveText(fixed ?? ''); // it does not move on
  await page.mouse.dblclick(box.x + box.width * 0.5, y);
  await expect(zoom).toBeHidden();
  await page.keyboard.press(']');
  await expect(page.getByRole('button', { name: '5 min', exact: true })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
});

test('an engineer exports what is in sight: figures, charts, faults, a reading, a link', async ({
  monitor,
  clients,
}) => {
  const { page } = monitor;
  clients.http(1, 100_000, 20);
  clients.broken(30, 4);
  await expect(monitor.tile('IOMMU faults')).toContainText('4 in the last minute', { timeout: 15_000 });
  await page.keyboard.press('e');
  const save = async (name: string) => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name }).click(),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    return { name: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
  };
  const figures = await save('Figures as CSV');
  expect(figures.name).toMatch(/^warpdrive-figures-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.csv$/);
  const [header, first] = figures.bytes.toString().split('\r\n');
  expect(header).toContain('time,in_bytes_per_second,');
  expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,/);
  const picture = await save('Charts as PNG');
  expect(picture.bytes.subarray(1, 4).toString()).toBe('PNG');
  expect(picture.bytes.readUInt32BE(16)).toBeGreaterThan(1_600); // twice the size of the chart
  const faults = await save('Faults as JSON lines');
  const lines = faults.bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { seq: number });
  expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect((await save('Faults as CSV')).bytes.toString().split('\r\n')).toHaveLength(6);
  const reading = JSON.parse((await save('This reading as JSON')).bytes.toString()) as {
    status: { service: string };
  };
  expect(reading.status.service).toBe('warpdrive');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy a link' }).click();
  await expect(page.getByText(/^Copied: http.*view=overview&service=http/)).toBeVisible();
});
