import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, ipcMain, powerMonitor, protocol, session, shell } from 'electron';
import { RESUME_CHANNEL } from '../contract/ipc.ts';
import { createAssetHandler } from './asset-protocol.ts';
import { openIpcGate } from './ipc-gate.ts';
import { createIpcHandlers } from './ipc-handlers.ts';
import { guardNavigation } from './navigation-guard.ts';
import { APP_ORIGIN, APP_SCHEME } from './origin.ts';
import { guardPermissions } from './permissions.ts';
import { serviceOrigin } from './service-url.ts';
import { windowOptions } from './window-options.ts';

// Lists the set-ups in their order; every decision is in a module of its own that is tested without Electron.
const APP_DIST = dirname(dirname(fileURLToPath(import.meta.url)));
const service = serviceOrigin(process.argv.slice(1));
if ('refused' in service) {
  console.error(service.refused);
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
    createAssetHandler({
      readAsset: (name) => readFile(join(APP_DIST, 'renderer', name)),
      serviceOrigin: service.origin,
    }),
  );
  guardPermissions(session.defaultSession);
  openIpcGate(ipcMain, createIpcHandlers({ openExternal }));
  const window = new BrowserWindow(windowOptions(join(APP_DIST, 'preload', 'preload.cjs')));
  window.once('ready-to-show', () => window.show());
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  powerMonitor.on('resume', () => window.webContents.send(RESUME_CHANNEL));
  await window.loadURL(`${APP_ORIGIN}/index.html?service=${encodeURIComponent(service.origin)}`);
}
