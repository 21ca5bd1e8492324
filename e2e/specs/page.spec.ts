import { expect, test } from '../fixtures/test.ts';

test.use({ isServiceShared: true });

test('a person opens the monitor and the browser has nothing to complain about', async ({
  monitor,
  complaints,
  service,
}) => {
  await monitor.settle();
  await monitor.page.mouse.move(500, 300);
  await monitor.page.keyboard.press('t');
  await service.post('/v1/compress?format=gzip', Buffer.from('abc'));
  await monitor.settle();
  expect(complaints).toEqual([]);
});

test('a script that someone smuggles into the page does not run', async ({ monitor, complaints }) => {
  await monitor.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.smuggled = true';
    document.body.append(script);
    const image = document.createElement('div');
    image.innerHTML = '<img src="data:," onerror="window.smuggled = true">';
    document.body.append(image);
  });
  await monitor.settle();
  expect(await monitor.page.evaluate(() => 'smuggled' in window)).toBe(false);
  expect(complaints.some((line) => line.includes('script-src'))).toBe(true);
});

for (const [width, height] of [
  [1024, 768],
  [1440, 900],
  [2560, 1440],
] as const) {
  test(`a person reads everything at ${width} × ${height} without scrolling sideways`, async ({
    monitor,
  }) => {
    const { page } = monitor;
    await page.setViewportSize({ width, height });
    await monitor.settle();
    const overflow = await page.evaluate(() =>
      [
        'html',
        '.strip',
        '.facts',
        '#queues',
        '.area-throughput .panel-head',
        '.area-queues .panel-head',
      ].filter((selector) => {
        const element = document.querySelector(selector);
        return element !== null && element.scrollWidth > element.clientWidth + 1;
      }),
    );
    expect(overflow).toEqual([]);
    const boxes = await page
      .locator('.strip > *, .fact, .badge, .strip-actions > *')
      .evaluateAll((elements) =>
        elements
          .map((element) => element.getBoundingClientRect())
          .map(({ left, right }) => ({ left, right })),
      );
    for (const { right } of boxes) expect(right).toBeLessThanOrEqual(width);
  });
}

test('a person switches the theme with T and finds it again after a reload', async ({ monitor }) => {
  const { page } = monitor;
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await background();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await background();
  expect(dark).not.toBe(light);
  await page.keyboard.press('t');
  await expect(page.locator('#theme')).toContainText('dark');
  expect(await background()).toBe(dark);
  await page.reload();
  await expect(page.locator('#theme')).toContainText('dark');
  expect(await background()).toBe(dark);
  await page.keyboard.press('t');
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await background()).toBe(light);
});
