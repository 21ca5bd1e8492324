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

for (const scheme of ['dark', 'light'] as const) {
  test(`a person with weak eyes reads every text in the ${scheme} theme (contrast 4.5 to 1)`, async ({
    monitor,
  }) => {
    await monitor.page.emulateMedia({ colorScheme: scheme });
    await monitor.settle();
    expect(await monitor.page.evaluate(lowContrast)).toEqual([]);
  });
}

/** Texts of the page whose colour is too close to the background behind them. Runs in the page. */
function lowContrast(): string[] {
  const parse = (color: string) => {
    const [r = 0, g = 0, b = 0, a = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    return { r, g, b, a };
  };
  const luminance = (color: string) => {
    const { r, g, b } = parse(color);
    const [lr = 0, lg = 0, lb = 0] = [r, g, b].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * lr + 0.7152 * lg + 0.0722 * lb;
  };
  const behind = (element: Element | null): string => {
    if (element === null) return 'rgb(255, 255, 255)';
    const { backgroundColor } = getComputedStyle(element);
    return parse(backgroundColor).a === 1 ? backgroundColor : behind(element.parentElement);
  };
  const found: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent?.trim();
    if (element === null || !text || !element.checkVisibility()) continue;
    const [high, low] = [luminance(getComputedStyle(element).color), luminance(behind(element))].toSorted(
      (a, b) => b - a,
    );
    const ratio = ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
    if (ratio < 4.5) found.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return found;
}
