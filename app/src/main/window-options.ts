import type { BrowserWindowConstructorOptions } from 'electron';

/** The one window: a sandboxed page without Node, with nothing but the preload's bridge. */
export function windowOptions(
  preloadPath: string,
  bounds: { x: number; y: number; width: number; height: number } | undefined = undefined,
): BrowserWindowConstructorOptions {
  return {
    width: 1440,
    height: 900,
    minWidth: 1024,
    minHeight: 640,
    title: 'warpdrive monitor',
    backgroundColor: '#0f1317',
    show: false,
    ...bounds,
    webPreferences: {
      preload: preloadPath,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  };
}
