import type { AppBridge } from '../contract/ipc.ts';
import { endpointsOf } from './connection/endpoint.ts';
import { listenForShortcuts } from './keyboard.ts';
import { Page } from './page.ts';
import { Services } from './services.ts';
import { addressOfStart, SERVICES_KEY } from './start.ts';
import type { Clock } from './timing.ts';
import { recall } from './widgets/storage.ts';

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

const app = window.warpdrive;
const startPage = addressOfStart(location.href, recall(SERVICES_KEY));
if (startPage !== undefined) location.replace(startPage);
const services = new Services(endpointsOf(location.href), clock, (service, isReading) =>
  page.onNews(service, isReading),
);
const page = new Page({ clock, services, app });

listenForShortcuts(page.shortcuts, new AbortController().signal);
window.addEventListener('online', () => services.connectNow());
app?.onResume(() => services.connectNow()); // after sleep sockets look open and are dead
for (const service of services.list)
  void app?.loadToken(service.endpoint.httpOrigin).then((token) => {
    if (token === undefined) return;
    service.api.token = token;
    service.connection.ask({ type: 'auth', token });
  });
services.connectNow();
