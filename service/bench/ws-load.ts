/** `node ws-load.js URL STREAMS SECONDS`: sends frames made beforehand, because masking them costs as much as the server. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { payloads } from './http-payload.ts';

export interface FrameLoad {
  bytes: number;
  seconds: number;
}

const FRAME_BYTES = 65_536;
const OPCODE = { text: 1, binary: 2 } as const;

/** A client's frame (RFC 6455, 5.2): masked, with a length of 7 or 64 bits. */
function frame(opcode: number, payload: Uint8Array): Buffer {
  const mask = randomBytes(4);
  const isShort = payload.length < 126;
  const head = Buffer.alloc(isShort ? 6 : 14);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (isShort ? payload.length : 127);
  if (!isShort) head.writeBigUInt64BE(BigInt(payload.length), 2);
  mask.copy(head, head.length - 4);
  const body = Buffer.from(payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0)));
  return Buffer.concat([head, body]);
}

const frames = payloads(FRAME_BYTES, 8).map((body) => frame(OPCODE.binary, body));
const finish = frame(OPCODE.text, Buffer.from('{"type":"finish"}'));

/** @returns bytes that the service says it took */
function stream(url: URL, untilMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(Number(url.port), url.hostname);
    let next = 0;
    let isOpen = false;
    const send = () => {
      while (performance.now() < untilMs) {
        const one = frames[next++ % frames.length];
        if (one && !socket.write(one)) {
          socket.once('drain', send);
          return;
        }
      }
      socket.write(finish);
    };
    let tail = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the stream ended without "done": ${tail.slice(-200)}`)));
    socket.on('data', (chunk: Buffer) => {
      // the last message is a short text frame; compressed bytes before it are not looked at
      tail = (tail + chunk.subarray(-512).toString('latin1')).slice(-512);
      if (!isOpen && tail.includes('\r\n\r\n')) {
        isOpen = true;
        if (!tail.startsWith('HTTP/1.1 101')) reject(new Error(tail));
        else send();
      }
      const done = /"type":"done"/.test(tail) ? /"bytesIn":(\d+)/.exec(tail)?.[1] : undefined;
      if (done === undefined) return;
      resolve(Number(done));
      socket.destroy();
    });
    socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
        'Sec-WebSocket-Protocol: warpdrive.stream.v1\r\n\r\n',
    );
  });
}

const [url = '', streams, seconds] = process.argv.slice(2);
const started = performance.now();
const untilMs = started + Number(seconds) * 1000;
const taken = await Promise.all(Array.from({ length: Number(streams) }, () => stream(new URL(url), untilMs)));
const load: FrameLoad = {
  bytes: taken.reduce((sum, bytes) => sum + bytes, 0),
  seconds: (performance.now() - started) / 1000,
};
process.stdout.write(`${JSON.stringify(load)}\n`);
