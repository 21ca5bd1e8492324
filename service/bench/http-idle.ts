/** What open streams cost that do nothing. */
import { once } from 'node:events';
import { request } from 'node:http';
import { WebSocket } from 'ws';
import { type Bench, COMPRESS_PATH, cpuSeconds, rssKib, type Server, startService } from './http-bench.ts';
import type { Row, Section } from './http-report.ts';

const STREAMS = 1000;
const SETTLE_MS = 1000;
const IDLE_MS = 5000;
const FIRST_BYTES = Buffer.alloc(100, 'a');

type Open = (server: Server) => Promise<() => void>;

const openWebSocket: Open = async ({ url }) => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/stream?op=compress`, 'warpdrive.stream.v1');
  ws.on('error', () => {});
  await once(ws, 'open');
  ws.send(FIRST_BYTES);
  return () => ws.terminate();
};

const openRequest: Open = async ({ url }) => {
  const req = request(url + COMPRESS_PATH, { method: 'POST', agent: false });
  req.on('error', () => {});
  await new Promise((resolve) => req.write(FIRST_BYTES, resolve));
  return () => req.destroy();
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function idle(bench: Bench): Promise<Section> {
  const rows: Row[] = [];
  for (const [stream, open] of [
    ['POST, chunked', openRequest],
    ['WebSocket', openWebSocket],
  ] as const) {
    const server = await startService(bench.cores[0] ?? 'wasm', [], '--max-streams-per-client', '4096');
    const closes: (() => void)[] = [];
    try {
      closes.push(await open(server)); // what only the first one costs
      await pause(SETTLE_MS);
      const before = rssKib(server);
      for (let i = 0; i < STREAMS; i++) closes.push(await open(server));
      await pause(SETTLE_MS);
      const after = rssKib(server);
      const cpuBefore = cpuSeconds(server);
      await pause(IDLE_MS);
      const cpuShare = (cpuSeconds(server) - cpuBefore) / (IDLE_MS / 1000);
      rows.push({
        stream,
        open: String(STREAMS),
        'RSS KiB each': (after - before) / STREAMS,
        'CPU % while idle': cpuShare * 100,
      });
    } finally {
      for (const close of closes) close();
      server.stop();
    }
  }
  return {
    name: 'idle',
    title: 'Idle streams',
    conditions: `${STREAMS} compress streams that sent ${FIRST_BYTES.length} bytes each; CPU over ${IDLE_MS / 1000} s.`,
    tables: [{ caption: '', rows }],
  };
}
