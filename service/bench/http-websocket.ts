/** WebSocket streams of 64 KiB frames beside POST bodies of that size. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bench, cpuSeconds, LOAD_PIN, startService } from './http-bench.ts';
import { payloads } from './http-payload.ts';
import type { Row, Section } from './http-report.ts';
import { BODIES, measure } from './http-sizes.ts';
import { median } from './race.ts';
import type { FrameLoad } from './ws-load.ts';

const FRAME_BYTES = 65_536;
const run = promisify(execFile);

export async function websocket(bench: Bench): Promise<Section> {
  const rows: Row[] = [];
  for (const core of bench.cores) {
    const server = await startService(core);
    try {
      const [http] = await measure(bench, [server], payloads(FRAME_BYTES, BODIES));
      const url = `${server.url}/v1/stream?op=compress&format=gzip&level=1`;
      const frames = async (seconds: number): Promise<FrameLoad & { cpuPerGb: number }> => {
        const args = [
          process.execPath,
          join(import.meta.dirname, 'ws-load.js'),
          url,
          String(bench.connections),
          String(seconds),
        ];
        const [command = '', ...rest] = [...LOAD_PIN, ...args];
        const before = cpuSeconds(server);
        const load = JSON.parse((await run(command, rest)).stdout) as FrameLoad;
        return { ...load, cpuPerGb: (cpuSeconds(server) - before) / (load.bytes / 1e9) };
      };
      await frames(1);
      const rounds: (FrameLoad & { cpuPerGb: number })[] = [];
      for (let round = 0; round < bench.rounds; round++) rounds.push(await frames(bench.seconds));
      const httpMbPerSec = ((http?.requestsPerSec ?? 0) * FRAME_BYTES) / 1e6;
      const mbPerSec = median(rounds.map(({ bytes, seconds }) => bytes / 1e6 / seconds));
      rows.push({
        core,
        'POST, MB/s': httpMbPerSec,
        'WebSocket, MB/s': mbPerSec,
        'WebSocket over POST': mbPerSec / httpMbPerSec,
        'POST, CPU s per GB': http?.cpuSecondsPerGb ?? null,
        'WebSocket, CPU s per GB': median(rounds.map(({ cpuPerGb }) => cpuPerGb)),
      });
    } finally {
      server.stop();
    }
  }
  return {
    name: 'websocket',
    title: 'WebSocket, frames of 64 KiB',
    conditions:
      `${bench.connections} streams on /v1/stream, masked frames sent as fast as the socket takes them, until the last ` +
      '"done"; beside POST bodies of 64 KiB on as many connections.',
    tables: [{ caption: '', rows }],
  };
}
