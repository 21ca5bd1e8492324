import type { AppBridge } from '../contract/ipc.ts';
import { openBrowserSocket } from './connection/browser-socket.ts';
import { MonitorConnection } from './connection/connection.ts';
import { endpointOf } from './connection/endpoint.ts';
import { listenForShortcuts } from './keyboard.ts';
import { Page } from './page.ts';
import { MonitorStore } from './store/monitor-store.ts';
import type { Clock } from './timing.ts';

declare global {
  interface Window {
    /** Only in the desktop app. */
    readonly warpdrive?: AppBridge;
  }
}

const clock: Clock = {
  nowMs: () => Date.now(),
  random: () => Math.random(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

const endpoint = endpointOf(location.href);
const store = new MonitorStore();
const connection = new MonitorConnection(endpoint.monitorUrl, {
  clock,
  openSocket: openBrowserSocket,
  onMessage: (message) => {
    store.apply(message);
    page.invalidate();
  },
  onState: () => page.invalidate(),
});
const page = new Page({ clock, store, connection, endpoint });

listenForShortcuts(page.shortcuts, new AbortController().signal);
window.addEventListener('online', () => connection.connectNow());
window.warpdrive?.onResume(() => connection.connectNow()); // after sleep sockets look open and are dead
connection.connectNow();
