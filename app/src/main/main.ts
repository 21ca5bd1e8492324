import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  powerMonitor,
  protocol,
  safeStorage,
  screen,
  session,
  shell,
} from 'electron';
import { RESUME_CHANNEL } from '../contract/ipc.ts';
import { createAssetHandler } from './asset-protocol.ts';
import { openIpcGate } from './ipc-gate.ts';
import { createIpcHandlers } from './ipc-handlers.ts';
import { menuTemplate } from './menu.ts';
import { guardNavigation } from './navigation-guard.ts';
import { APP_SCHEME, pageUrl } from './origin.ts';
import { guardPermissions } from './permissions.ts';
import { createSaver } from './save-export.ts';
import { serviceOrigins } from './service-url.ts';
import { privateFile, TokenStore } from './token-store.ts';
import { windowOptions } from './window-options.ts';
import { loadWindowState, saveWindowState } from './window-state.ts';

// Lists the set-ups in their order; every decision is in a module of its own that is tested without Electron.
const APP_DIST = dirname(dirname(fileURLToPath(import.meta.url)));
const DOCUMENTATION = 'https://github.com/warpdrive/warpdrive/blob/main/docs/monitor.md';
const services = serviceOrigins(process.argv.slice(1));
if ('refused' in services) {
  console.error(services.refused);
  app.exit(2);
} else if (!app.requestSingleInstanceLock()) {
  app.exit(0); // the running one shows its window
} else {
  app.enableSandbox();
  // must come before `ready`
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
  const openExternal = (url: string) => shell.openExternal(url);
  app.on('web-contents-created', (_event, contents) =>
    guardNavigation(contents, (url) => void openExternal(url)),
  );
  app.on('window-all-closed', () => app.quit());
  await app.whenReady();
  protocol.handle(
    APP_SCHEME,
    createAssetHandler({ readAsset: (name) => readFile(join(APP_DIST, 'renderer', name)) }),
  );
  guardPermissions(session.defaultSession);
  const userFile = (name: string) => privateFile(join(app.getPath('userData'), name));
  const stateFile = userFile('window.json');
  const state = await loadWindowState(
    stateFile,
    screen.getAllDisplays().map(({ workArea }) => workArea),
  );
  const window = new BrowserWindow(windowOptions(join(APP_DIST, 'preload', 'preload.cjs'), state?.bounds));
  if (state?.isMaximized) window.maximize();
  const saveExport = createSaver({
    downloads: app.getPath('downloads'),
    write: writeFile,
    choosePath: async (defaultPath, extension) => {
      const filters = [{ name: extension, extensions: [extension] }];
      const { canceled, filePath } = await dialog.showSaveDialog(window, { defaultPath, filters });
      return canceled ? undefined : filePath;
    },
  });
  const tokens = new TokenStore(userFile('tokens.json'), safeStorage);
  openIpcGate(ipcMain, createIpcHandlers({ openExternal, saveExport, tokens }));
  const press = (keyCode: string) => {
    window.webContents.sendInputEvent({ type: 'keyDown', keyCode });
    if (keyCode.length === 1) window.webContents.sendInputEvent({ type: 'char', keyCode });
    window.webContents.sendInputEvent({ type: 'keyUp', keyCode });
  };
  const openDocs = () => void openExternal(DOCUMENTATION);
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(menuTemplate({ isMac: process.platform === 'darwin', press, openDocs })),
  );
  window.once('ready-to-show', () => window.show());
  window.on('close', () => {
    void saveWindowState(stateFile, { bounds: window.getNormalBounds(), isMaximized: window.isMaximized() });
  });
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  powerMonitor.on('resume', () => window.webContents.send(RESUME_CHANNEL));
  await window.loadURL(pageUrl(services.origins));
}
