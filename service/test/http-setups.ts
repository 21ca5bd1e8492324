import { after, beforeEach } from 'node:test';
import { createHost } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import { jsonText } from './http-client.ts';
import { hostDouble } from './http-double.ts';
import { serviceOn } from './http-service.ts';
import { recordedLog } from './recorded-log.ts';

const IDLE_MS = 300;

/** A service in front of a codec that fails on demand, its log emptied before each test; ends with the test file. */
export async function serviceOnDouble() {
  const double = hostDouble();
  const { log, lines } = recordedLog();
  const service = await serviceOn(double, { idleTimeout: `${IDLE_MS}ms`, maxInput: 4_000_000 }, log);
  after(() => service.stop());
  beforeEach(() => lines.splice(0));
  return { double, service, lines, body: jsonText(2000), large: jsonText(3_000_000) };
}

/** A service in front of a whole stack with two engine cores and four queues; ends with the test file. */
export async function serviceOnStack() {
  const host = await createHost({ mode: 'sva', core: 'auto', cores: 2, queues: 4 }, silentLog);
  const service = await serviceOn(host);
  after(() => service.stop());
  return {
    host,
    service,
    compressUrl: (format: string, level: number) =>
      `${service.url}/v1/compress?format=${format}&level=${level}`,
    inFlight: () => host.view.queues().reduce((sum, queue) => sum + queue.inFlight, 0),
  };
}
