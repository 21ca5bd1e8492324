import { AdminApi } from './connection/api.ts';
import { openBrowserSocket } from './connection/browser-socket.ts';
import { MonitorConnection } from './connection/connection.ts';
import { DemoLoad } from './connection/demo-load.ts';
import type { Endpoint } from './connection/endpoint.ts';
import { MonitorStore } from './store/monitor-store.ts';
import type { Clock } from './timing.ts';

/** One watched service: where it is, what it said, the connection, and what an administrator may ask of it. */
export interface Service {
  readonly endpoint: Endpoint;
  readonly store: MonitorStore;
  readonly connection: MonitorConnection;
  readonly api: AdminApi;
  readonly demo: DemoLoad;
}

/** `isReading`: one of four a second, which can wait; anything else is something that a person waits for. */
type OnNews = (service: Service, isReading: boolean) => void;

/** All services that this page watches at once; one of them is shown. */
export class Services {
  readonly list: readonly Service[];
  private index = 0;

  /** @param onChange some service has news */
  constructor(endpoints: readonly Endpoint[], clock: Clock, onChange: OnNews) {
    this.list = endpoints.map((endpoint) => watch(endpoint, clock, onChange));
  }

  get active(): Service {
    const service = this.list[this.index];
    if (service === undefined) throw new Error('a page watches at least one service');
    return service;
  }

  show(service: Service): void {
    this.index = Math.max(0, this.list.indexOf(service));
  }

  connectNow(): void {
    for (const { connection } of this.list) connection.connectNow();
  }
}

function watch(endpoint: Endpoint, clock: Clock, onChange: OnNews): Service {
  const store = new MonitorStore();
  const api = new AdminApi(endpoint.httpOrigin);
  const connection = new MonitorConnection(endpoint.monitorUrl, {
    clock,
    openSocket: openBrowserSocket,
    token: () => api.token,
    onMessage: (message) => {
      store.apply(message);
      if (message.type === 'snapshot' && api.token !== undefined)
        connection.ask({ type: 'auth', token: api.token });
      const sinceSeq = message.type === 'sample' ? store.takeGap() : undefined;
      if (sinceSeq !== undefined) connection.ask({ type: 'faults', sinceSeq });
      onChange(service, message.type === 'sample');
    },
    onState: () => onChange(service, false),
  });
  const service: Service = {
    endpoint,
    store,
    connection,
    api,
    demo: new DemoLoad(endpoint.httpOrigin, clock),
  };
  return service;
}
