import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guardNavigation } from './navigation-guard.ts';
import { guardPermissions, isGranted } from './permissions.ts';
import { windowOptions } from './window-options.ts';

type Listener = (event: { url: string; preventDefault(): void }) => void;
type OpenHandler = (details: { url: string }) => { action: string };

function guardedContents() {
  const listeners = new Map<string, Listener>();
  const opened: string[] = [];
  let openHandler: OpenHandler | undefined;
  const contents = {
    on: (name: string, listener: Listener) => listeners.set(name, listener),
    setWindowOpenHandler: (handler: OpenHandler) => {
      openHandler = handler;
    },
  };
  guardNavigation(contents as unknown as Parameters<typeof guardNavigation>[0], (url) => opened.push(url));
  const isPrevented = (name: string, url: string) => {
    let prevented = false;
    listeners.get(name)?.({
      url,
      preventDefault: () => {
        prevented = true;
      },
    });
    return prevented;
  };
  return { opened, isPrevented, open: (url: string) => openHandler?.({ url }).action };
}

describe('guardNavigation', () => {
  it('stops every navigation away from the app', () => {
    const { isPrevented } = guardedContents();
    for (const name of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
      assert.equal(isPrevented(name, 'https://example.org/'), true, name);
      assert.equal(isPrevented(name, 'file:///etc/passwd'), true, name);
      assert.equal(isPrevented(name, 'warpdrive://monitor/index.html'), false, name);
    }
  });
  it('denies every window and every webview', () => {
    const { isPrevented, open, opened } = guardedContents();
    assert.equal(isPrevented('will-attach-webview', ''), true);
    assert.equal(open('javascript:alert(1)'), 'deny');
    assert.deepEqual(opened, []);
    assert.equal(open('https://example.org/'), 'deny');
    assert.deepEqual(opened, ['https://example.org/']);
  });
});

describe('guardPermissions', () => {
  it('grants copying and notifications to the page of the app and nothing else to anyone', () => {
    const page = 'warpdrive://monitor/index.html';
    assert.equal(isGranted('clipboard-sanitized-write', page), true);
    assert.equal(isGranted('notifications', page), true);
    assert.equal(isGranted('notifications', 'https://example.org/'), false);
    assert.equal(isGranted('clipboard-sanitized-write', 'https://example.org/'), false);
    for (const name of ['media', 'geolocation', 'clipboard-read', 'openExternal', 'usb', 'hid']) {
      assert.equal(isGranted(name, page), false, name);
    }
  });
  it('answers requests, checks and devices alike', () => {
    const handlers: Record<string, (...args: never[]) => unknown> = {};
    const keep = (name: string) => (handler: (...args: never[]) => unknown) => {
      handlers[name] = handler;
    };
    guardPermissions({
      setPermissionRequestHandler: keep('request'),
      setPermissionCheckHandler: keep('check'),
      setDevicePermissionHandler: keep('device'),
    } as unknown as Parameters<typeof guardPermissions>[0]);
    const answers: boolean[] = [];
    const ask = handlers['request'] as unknown as (
      c: null,
      p: string,
      cb: (ok: boolean) => void,
      d: object,
    ) => void;
    ask(null, 'media', (ok) => answers.push(ok), { requestingUrl: 'warpdrive://monitor/' });
    ask(null, 'clipboard-sanitized-write', (ok) => answers.push(ok), {
      requestingUrl: 'warpdrive://monitor/',
    });
    assert.deepEqual(answers, [false, true]);
    const check = handlers['check'] as unknown as (c: null, p: string, origin: string, d: object) => boolean;
    assert.equal(check(null, 'media', 'warpdrive://monitor/', {}), false);
    assert.equal((handlers['device'] as unknown as () => boolean)(), false);
  });
});

describe('windowOptions', () => {
  it('isolates the page in a sandbox without Node, webviews or insecure content', () => {
    const { webPreferences } = windowOptions('/preload.cjs');
    assert.equal(webPreferences?.sandbox, true);
    assert.equal(webPreferences?.contextIsolation, true);
    assert.equal(webPreferences?.webSecurity, true);
    for (const name of [
      'nodeIntegration',
      'nodeIntegrationInSubFrames',
      'nodeIntegrationInWorker',
      'webviewTag',
      'allowRunningInsecureContent',
      'experimentalFeatures',
    ] as const) {
      assert.equal(webPreferences?.[name], false, name);
    }
    assert.equal(webPreferences?.enableBlinkFeatures, undefined);
  });
});
