/**
 * Honest clients: kept connections that compress 2 KiB each now and then; every answer is decoded and compared. argv:
 * JSON of HonestLoad. Sends "connected" when all connections are there, its HonestReport when the time is over.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { jsonText } from '../http-client.ts';

export interface HonestLoad {
  url: string;
  connections: number;
  /** Requests a second, of all together. */
  rate: number;
  seconds: number;
}

/** Milliseconds from when a request was due to its last byte, so that waiting in a line counts. */
export interface HonestReport {
  requests: number;
  failures: number;
  p50: number;
  p99: number;
  max: number;
}

const load = JSON.parse(process.argv[2] ?? '{}') as HonestLoad;
const { hostname, port } = new URL(load.url);
const body = jsonText(2048);
const request = Buffer.concat([
  Buffer.from(`POST /v1/compress HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`),
  body,
]);

/** The body of a whole answer; undefined while some of it is missing. */
function bodyIn(bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  if (bytes.length < end + 4 + length) return undefined;
  return head.startsWith('HTTP/1.1 200') ? bytes.subarray(end + 4, end + 4 + length) : Buffer.alloc(0);
}

async function opened(): Promise<Socket> {
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true).on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** @returns whether the answer is right */
function exchange(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const end = (isRight: boolean): void => {
      socket.off('data', onData).off('close', onClose);
      resolve(isRight);
    };
    const onClose = (): void => end(false);
    const onData = (part: Buffer): void => {
      bytes = Buffer.concat([bytes, part]);
      const answer = bodyIn(bytes);
      if (answer !== undefined) end(answer.length > 0 && gunzipSync(answer).equals(body));
    };
    socket.on('data', onData).on('close', onClose);
    socket.write(request);
  });
}

const tookMs: number[] = [];
let failures = 0;
const everyMs = (load.connections / load.rate) * 1000;

/** An open loop: a request is due at its time, whatever became of those before it. */
async function client(first: Socket, startMs: number, endMs: number): Promise<void> {
  let socket = first;
  for (let dueMs = startMs; dueMs < endMs; dueMs += everyMs) {
    await new Promise((next) => setTimeout(next, Math.max(0, dueMs - performance.now())));
    const isRight = await exchange(socket);
    tookMs.push(performance.now() - dueMs);
    if (isRight) continue;
    failures++;
    socket.destroy();
    socket = await opened();
  }
  socket.destroy();
}

const sockets = await Promise.all(Array.from({ length: load.connections }, opened));
process.send?.('connected');
const startMs = performance.now() + 100;
await Promise.all(
  sockets.map((socket, i) =>
    client(socket, startMs + (i / load.connections) * everyMs, startMs + load.seconds * 1000),
  ),
);
tookMs.sort((a, b) => a - b);
const at = (share: number): number =>
  tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? 0;
const report: HonestReport = { requests: tookMs.length, failures, p50: at(0.5), p99: at(0.99), max: at(1) };
process.send?.(report, () => process.exit());
