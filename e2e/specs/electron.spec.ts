import { _electron } from '@playwright/test';
import { electronBinary } from '../fixtures/electron-binary.ts';
import { expect, test } from '../fixtures/test.ts';

const binary = electronBinary();

test('an engineer starts the app and watches a service in a page that has no Node', async ({ service }) => {
  test.skip('missing' in binary, 'missing' in binary ? binary.missing : '');
  if ('missing' in binary) return;
  const app = await _electron.launch({
    executablePath: binary.path,
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '.', `--service=${service.url}`],
  });
  const page = await app.firstWindow();
  await expect(page.locator('#state')).toHaveText(/Live/);
  const seen = await page.evaluate(() => ({
    globals: [typeof Reflect.get(window, 'require'), typeof Reflect.get(window, 'process')],
    bridge: Object.keys(Reflect.get(window, 'warpdrive') as object).sort(),
    origin: location.href.split('/index.html')[0],
    opened: window.open('https://example.org/') === null,
  }));
  expect(seen).toEqual({
    globals: ['undefined', 'undefined'],
    bridge: ['loadToken', 'onResume', 'openLink', 'saveExport', 'saveToken'],
    origin: 'warpdrive://monitor',
    opened: true,
  });
  expect(app.windows()).toHaveLength(1);
  await app.close();
});
