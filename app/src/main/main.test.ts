/** The bundled main process, run whole against a stand-in for Electron that writes down what it is asked. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const NAMES =
  'app,BrowserWindow,dialog,ipcMain,Menu,powerMonitor,protocol,safeStorage,screen,session,shell' as const;
/** Gives each run of the main process an `electron` module of its own. */
const HOOK = `export async function resolve(name, context, next) {
  if (name !== 'electron') return next(name, context);
  const text = 'export const {${NAMES}} = globalThis.fakeElectron; //' + context.parentURL;
  return { url: 'data:text/javascript,' + encodeURIComponent(text), shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(HOOK)}`);

const folder = mkdtempSync(join(tmpdir(), 'warpdrive-main-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let runs = 0;

type Handler = (request: Request) => Promise<Response>;

/** Runs the main process once. */
async function run(options: { flags?: string[]; isFirst?: boolean } = {}) {
  const did: string[] = [];
  const note = (what: string) => void did.push(what);
  const channels: string[] = [];
  const sent: string[] = [];
  let windowOptions: { webPreferences?: Record<string, unknown> } = {};
  let serve: Handler | undefined;
  const webContents = {
    send: (channel: string) => sent.push(channel),
    sendInputEvent: ({ type, keyCode }: { type: string; keyCode: string }) => sent.push(`${type} ${keyCode}`),
  };
  class BrowserWindow extends EventEmitter {
    readonly webContents = webContents;
    isShown = false;
    constructor(given: typeof windowOptions) {
      super();
      windowOptions = given;
      note('window');
      Object.assign(fake, { window: this });
    }
    maximize(): void {}
    show(): void {
      this.isShown = true;
    }
    isMinimized = () => true;
    restore = () => note('restore');
    focus = () => note('focus');
    getNormalBounds = () => ({ x: 10, y: 20, width: 1200, height: 800 });
    isMaximized = () => false;
    loadURL = async (url: string) => note(`load ${url}`);
  }
  const app = Object.assign(new EventEmitter(), {
    exit: (code: number) => note(`exit ${code}`),
    quit: () => note('quit'),
    requestSingleInstanceLock: () => options.isFirst !== false,
    enableSandbox: () => note('sandbox'),
    whenReady: async () => note('ready'),
    getPath: () => folder,
  });
  const fake = {
    app,
    BrowserWindow,
    dialog: {},
    ipcMain: { handle: (channel: string) => channels.push(channel) },
    Menu: {
      buildFromTemplate: (template: unknown) => template,
      setApplicationMenu: (template: unknown) => {
        Object.assign(fake, { menu: template });
        note('menu');
      },
    },
    powerMonitor: new EventEmitter(),
    protocol: {
      registerSchemesAsPrivileged: ([{ scheme }]: [{ scheme: string }]) => note(`scheme ${scheme}`),
      handle: (scheme: string, handler: Handler) => {
        serve = handler;
        note(`serve ${scheme}`);
      },
    },
    safeStorage: { isEncryptionAvailable: () => false },
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
    session: {
      defaultSession: {
        setPermissionRequestHandler: () => note('permissions'),
        setPermissionCheckHandler() {},
        setDevicePermissionHandler() {},
      },
    },
    shell: { openExternal: async (url: string) => note(`open ${url}`) },
  };
  Object.assign(globalThis, { fakeElectron: fake });
  const argv = process.argv;
  process.argv = ['electron', '.', ...(options.flags ?? [])];
  try {
    await import(`${new URL('../../main/main.js', import.meta.url).href}?run=${++runs}`);
  } finally {
    process.argv = argv;
  }
  const { window, menu } = fake as unknown as {
    window: InstanceType<typeof BrowserWindow>;
    menu: { submenu: { label?: string; click?: () => void }[] }[];
  };
  return { did, channels, sent, app, window, menu, powerMonitor: fake.powerMonitor, windowOptions, serve };
}

describe('the main process', () => {
  it('isolates, guards and opens its one window in order, and gives the page what it may have', async () => {
    const { did, channels, windowOptions, window, serve, app } = await run({
      flags: ['--service=https://example.org:8443'],
    });
    assert.deepEqual(did, [
      'sandbox',
      'scheme warpdrive', // both before it is ready, or they come too late
      'ready',
      'serve warpdrive',
      'permissions',
      'window',
      'menu',
      'load warpdrive://monitor/index.html?service=https%3A%2F%2Fexample.org%3A8443',
    ]);
    assert.deepEqual(channels, ['link:open', 'export:save', 'token:save', 'token:load']);
    assert.equal(windowOptions.webPreferences?.['sandbox'], true);
    assert.ok(existsSync(String(windowOptions.webPreferences?.['preload'])));
    assert.equal(window.isShown, false); // not a white frame first
    window.emit('ready-to-show');
    assert.equal(window.isShown, true);
    const page = await serve?.(new Request('warpdrive://monitor/index.html'));
    assert.equal(page?.status, 200);
    assert.match(page?.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const guarded: string[] = [];
    const contents = {
      on: (name: string) => guarded.push(name),
      setWindowOpenHandler: () => guarded.push('open'),
    };
    app.emit('web-contents-created', {}, contents);
    assert.ok(guarded.includes('will-navigate') && guarded.includes('open'), guarded.join());
    app.emit('window-all-closed');
    assert.equal(did.at(-1), 'quit');
  });

  it('shows its window when it is started again, tells the page of a wake-up, and keeps the window’s place', async () => {
    const { did, sent, app, window, powerMonitor } = await run();
    app.emit('second-instance');
    assert.deepEqual(did.slice(-2), ['restore', 'focus']);
    powerMonitor.emit('resume');
    assert.deepEqual(sent, ['power:resume']);
    window.emit('close');
    const kept = join(folder, 'window.json');
    for (let i = 0; i < 100 && !existsSync(kept); i++) await new Promise((next) => setTimeout(next, 10));
    assert.deepEqual(JSON.parse(readFileSync(kept, 'utf8')).bounds, {
      x: 10,
      y: 20,
      width: 1200,
      height: 800,
    });
    assert.deepEqual((await run()).windowOptions, {
      ...(await run()).windowOptions,
      x: 10,
      y: 20,
      width: 1200,
    });
  });

  it('presses the page’s own keys from its menu', async () => {
    const { menu, sent } = await run();
    const entries = menu.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []));
    entries.find(({ label }) => label?.startsWith('Queues'))?.click?.();
    assert.deepEqual(sent, ['keyDown 2', 'char 2', 'keyUp 2']);
  });

  it('ends before it opens anything when another runs or the service may not be watched', async (t) => {
    assert.deepEqual((await run({ isFirst: false })).did, ['exit 0']);
    const said = t.mock.method(console, 'error', () => {});
    assert.deepEqual((await run({ flags: ['--service=http://example.org'] })).did, ['exit 2']);
    assert.match(String(said.mock.calls[0]?.arguments[0]), /must be https, or http on this machine/);
  });
});
