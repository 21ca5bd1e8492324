import { Load } from '../fixtures/load.ts';
import { logText } from '../fixtures/payload.ts';
import { expect, test } from '../fixtures/test.ts';

test.use({ isServiceShared: true });

test('an engineer filters queues by words and fields and clears the filter with Escape', async ({
  monitor,
}) => {
  const total = await monitor.queueRows.count();
  expect(total).toBeGreaterThan(1);
  await monitor.page.keyboard.press('/');
  await expect(monitor.filter).toBeFocused();
  await monitor.page.keyboard.type('operation:decompress started');
  await expect.poll(async () => new Set(await monitor.column('operation'))).toEqual(new Set(['decompress']));
  await expect(monitor.page.locator('#queues-note')).toContainText(` of ${total} queues`);
  await monitor.filter.fill('no such queue');
  await expect(monitor.page.locator('#queues')).toContainText('No queue matches “no such queue”');
  await monitor.page.keyboard.press('Escape');
  await expect(monitor.queueRows).toHaveCount(total);
});

test('an engineer sorts the queues by a column and back, by mouse and by keyboard', async ({
  monitor,
  service,
}) => {
  for (let i = 0; i < 6; i++) await service.post('/v1/compress?format=gzip', logText(700_000 * (i + 1)));
  await monitor.settle();
  const header = monitor.header('Ops').last();
  await header.getByRole('button').click();
  await expect(header).toHaveAttribute('aria-sort', 'descending');
  const numbers = async () => (await monitor.column('total')).map((text) => Number(text.replaceAll(',', '')));
  await expect.poll(numbers).toEqual((await numbers()).toSorted((a, b) => b - a));
  await monitor.page.keyboard.press('Enter');
  await expect(header).toHaveAttribute('aria-sort', 'ascending');
  await expect.poll(numbers).toEqual((await numbers()).toSorted((a, b) => a - b));
});

test('an engineer presses every key of the sheet and each does what the sheet says', async ({ monitor }) => {
  const { page } = monitor;
  const press = (key: string) => page.keyboard.press(key);
  const sheet = (name: string) => page.getByRole('dialog', { name });
  const listed = await page.locator('#help-sheet kbd').allTextContents();
  const does: Record<string, () => Promise<void>> = {
    Space: async () => {
      await press(' ');
      await expect(monitor.pause).toHaveAttribute('aria-pressed', 'true');
      await press(' ');
      await expect(monitor.pause).toHaveAttribute('aria-pressed', 'false');
    },
    '/': async () => {
      await press('/');
      await expect(monitor.filter).toBeFocused();
      await press('Escape');
    },
    F: async () => {
      await press('f');
      await expect(page.getByRole('searchbox', { name: 'Search faults' })).toBeFocused();
      await press('Escape');
    },
    '[': async () => {
      await press('[');
      await expect(page.getByRole('button', { name: '30 s', exact: true })).toHaveAttribute(
        'aria-pressed',
        'true',
      );
    },
    ']': async () => {
      await press(']');
      await expect(page.getByRole('button', { name: '1 min', exact: true })).toHaveAttribute(
        'aria-pressed',
        'true',
      );
    },
    '−': async () => {
      await press('-');
      await expect(page.locator('#toast')).toHaveText('The page draws each reading');
    },
    '+': async () => {
      await press('+');
      await expect(page.locator('#toast')).toHaveText('The page draws every 0.5 s');
    },
    T: async () => {
      await press('t');
      await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
    },
    R: async () => {
      const [socket] = await Promise.all([page.waitForEvent('websocket'), press('r')]);
      expect(socket.url()).toContain('/v1/monitor');
      await expect(monitor.state).toHaveText(/Live/);
    },
    Esc: async () => {
      await press('?');
      await press('Escape');
      await expect(sheet('Keys')).toBeHidden();
    },
    '?': async () => {
      await press('?');
      await expect(sheet('Keys')).toBeVisible();
      await press('?');
      await expect(sheet('Keys')).toBeHidden();
    },
  };
  for (const [key, name] of [
    ['E', 'Export'],
    ['S', 'Services'],
    ['A', 'Admin token'],
  ] as const)
    does[key] = async () => {
      await press(key.toLowerCase());
      await expect(sheet(name)).toBeVisible();
      await press('Escape');
      await expect(sheet(name)).toBeHidden();
    };
  for (const [digit, view] of [
    'all',
    'overview',
    'queues',
    'iommu',
    'charts',
    'compare',
    'mdevs',
    'alarms',
  ].entries())
    does[String(digit)] = async () => {
      await press(String(digit));
      await expect(page.locator('body')).toHaveAttribute('data-view', view);
    };
  expect(Object.keys(does).toSorted()).toEqual(listed.toSorted());
  await press('1');
  for (const run of Object.values(does)) await run();
});

test('an engineer who types on while a sheet closes loses no key', async ({ monitor }) => {
  const { page } = monitor;
  // Both keys in one task: the closed sheet keeps the focus until the browser draws its next frame.
  const closeAndPress = (key: string) =>
    page.evaluate((next) => {
      for (const key of ['Escape', next])
        (document.activeElement ?? document.body).dispatchEvent(
          new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
        );
    }, key);
  await page.keyboard.press('s');
  await expect(page.getByLabel('Address of a service')).toBeFocused();
  await closeAndPress('a');
  await expect(page.getByRole('dialog', { name: 'Admin token' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await closeAndPress(' ');
  await expect(monitor.pause).toHaveAttribute('aria-pressed', 'true');
});

test('an engineer searches 100,000 faults: the newest decoded, any other by scrolling', async ({
  page,
  service,
}) => {
  // the one mocked part: nothing real makes so many faults in a test's time
  await page.addInitScript((template) => {
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        const flood = () => {
          for (let seq = 1; seq <= 100_000; seq++) {
            const fault = {
              ...template,
              seq,
              atMs: template.atMs + seq,
              iova: `0x${(seq * 4096).toString(16)}`,
            };
            this.dispatchEvent(
              new MessageEvent('message', { data: JSON.stringify({ type: 'fault', fault }) }),
            );
          }
        };
        this.addEventListener('message', () => setTimeout(flood), { once: true });
      }
    };
  }, faultTemplate());
  await page.goto(`${service.url}/monitor/`);
  await expect(page.locator('#faults-note')).toContainText('100,000 faults', { timeout: 15_000 });
  const detail = page.getByRole('article', { name: 'Fault details' });
  await expect(detail).toContainText('#100000');
  await expect(detail).toContainText('Next: Map the buffer first.');
  await expect(detail.locator('code')).toHaveText(/arm-smmu-v3 .* event 0x10 received/);
  const list = page.getByRole('listbox', { name: 'Fault log, newest first' });
  expect(await list.getByRole('option').count()).toBeLessThan(40);
  await list.focus();
  await page.keyboard.press('ArrowDown');
  await expect(detail).toContainText('#99999');
  await list.evaluate((element) => {
    element.scrollTop = element.scrollHeight;
  });
  await list.getByRole('option').filter({ hasText: '0x1000', visible: true }).last().click();
  await expect(detail).toContainText('#1 ·');
  await page.keyboard.press('Escape');
  await expect(detail).toContainText('#100000');
});

test('an engineer watches busy queues for a while and nothing on the page shifts', async ({
  monitor,
  service,
}) => {
  await monitor.page.evaluate(() => {
    const shifted: string[] = [];
    Object.assign(window, { shifted });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { sources: { node: Node | null }[] })[]) {
        for (const { node } of entry.sources) {
          // a unit may step aside for one more digit; nothing else may move
          const element = node instanceof Element ? node : node?.parentElement;
          if (!element?.closest('.tile-figure, .legend')) shifted.push(element?.outerHTML ?? 'gone');
        }
      }
    }).observe({ type: 'layout-shift' });
  });
  const load = new Load(service, 3, 300_000);
  await monitor.page.waitForTimeout(3_000);
  await load.stop();
  await monitor.settle();
  expect(await monitor.page.evaluate(() => Reflect.get(window, 'shifted'))).toEqual([]);
});

const faultTemplate = () => ({
  atMs: Date.now() - 100_000,
  device: 'hisi_zip-0',
  streamId: 0x7500,
  access: 'read',
  event: 'F_TRANSLATION',
  reason: 'no page is mapped at this address',
  outcome: 'aborted',
  queue: 'hisi_zip-0/1',
  advice: 'Map the buffer first.',
  kernelLine: 'arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received',
});
