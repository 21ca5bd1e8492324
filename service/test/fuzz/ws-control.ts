/**
 * Raw bytes behind a WebSocket upgrade of /v1/stream and /v1/monitor: broken frames, control messages of every wrong
 * kind. Answers are whole, known messages, closes have documented codes, and what is `done` has the right checksum.
 * Input: route (byte 0), bytes of a write (byte 1, 0 = all at once), the client's bytes after the upgrade.
 */
import { crc32, gunzipSync } from 'node:zlib';
import { answersIn, exchange, openService } from './oracles.ts';
import { expect, type FuzzTarget, shown } from './target.ts';

const QUIET_MS = 60;
const ROUTES = [
  '/v1/stream?op=compress&format=gzip',
  '/v1/stream?op=decompress&format=gzip',
  '/v1/monitor',
] as const;
/** docs/websocket.md, without 1011, our defect. */
const CLOSES = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4400, 4401, 4408, 4413, 4422, 4429]);
const MESSAGES = new Set([
  'credit',
  'done',
  'error',
  'snapshot',
  'sample',
  'fault',
  'faults',
  'auth',
  'mdev',
]);
const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10] as const;

const upgrade = (route: string): Buffer =>
  Buffer.from(
    `GET ${route} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
      `Sec-WebSocket-Protocol: warpdrive.${route.endsWith('monitor') ? 'monitor' : 'stream'}.v1\r\n\r\n`,
  );

/** A masked frame whose mask is 0, so that the mutator's words read the same on the other side. */
function frame(opcode: number, payload: string | Uint8Array, isLast = true): Buffer {
  const bytes = Buffer.from(payload);
  const length =
    bytes.length < 126 ? [0x80 | bytes.length] : [0x80 | 126, bytes.length >> 8, bytes.length & 255];
  return Buffer.concat([Buffer.of((isLast ? 0x80 : 0) | opcode, ...length, 0, 0, 0, 0), bytes]);
}

interface Frame {
  opcode: number;
  payload: Buffer;
}

/** The server's frames (RFC 6455 5.2): whole, unmasked, without reserved bits; the last may be cut off. */
function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [first = 0, second = 0] = bytes.subarray(at);
    expect(
      (first & 0xf0) === 0x80 && second < 128,
      () => `no frame of a server: ${shown(bytes.subarray(at))}`,
    );
    const head = second === 126 ? 4 : second === 127 ? 10 : 2;
    if (at + head > bytes.length) break;
    const length =
      second === 126
        ? bytes.readUInt16BE(at + 2)
        : second === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : second;
    if (at + head + length > bytes.length) break;
    frames.push({ opcode: first & 15, payload: bytes.subarray(at + head, at + head + length) });
    at += head + length;
  }
  return frames;
}

function checkDone(done: Record<string, unknown>, payload: Buffer, isCompress: boolean): void {
  const plain = isCompress ? gunzipSync(payload) : payload;
  expect(done['bytesOut'] === payload.length, () => `bytesOut ${done['bytesOut']} of ${payload.length}`);
  expect(done['crc32'] === crc32(plain), () => `crc32 ${done['crc32']}, the bytes have ${crc32(plain)}`);
}

/** @returns the close code, or how far it went */
function check(bytes: Buffer, route: string): string {
  const frames = framesIn(bytes);
  const payload = Buffer.concat(frames.filter(({ opcode }) => opcode === BINARY).map((one) => one.payload));
  for (const [index, { opcode, payload: said }] of frames.entries()) {
    expect(
      [TEXT, BINARY, CLOSE, PING, PONG].some((known) => known === opcode),
      () => `opcode ${opcode}`,
    );
    if (opcode === TEXT) {
      const message = JSON.parse(said.toString()) as Record<string, unknown>;
      expect(MESSAGES.has(String(message['type'])), () => `an unknown message: ${shown(said)}`);
      if (message['type'] === 'done') checkDone(message, payload, route.includes('op=compress'));
    }
    if (opcode !== CLOSE) continue;
    expect(index === frames.length - 1, () => 'frames follow a close');
    if (said.length === 0) return 'closed without a code';
    const code = said.readUInt16BE(0);
    // else it is the client's own code, echoed
    const isDefect = code === 1011 && said.toString('latin1', 2, 7) === 'WD_E_';
    expect(!isDefect, () => `the service has a defect: ${shown(said)}`);
    return String(code);
  }
  return 'open';
}

const FINISH = frame(TEXT, '{"type":"finish"}');
const credit = (bytes: number): Buffer => frame(TEXT, JSON.stringify({ type: 'credit', bytes }));
const seed = (route: number, ...frames: Buffer[]): Uint8Array =>
  Buffer.concat([Buffer.of(route, 0), ...frames]);

export const wsControl: FuzzTarget = {
  name: 'ws-control',
  width: 32,
  maxBytes: 8192,
  dictionary: [
    ...[
      '{"type":"flush"}',
      '"finish"',
      '"credit"',
      '"bytes":',
      '1099511627777',
      '-1',
      '1e400',
      'null',
      '"auth"',
      '"token":',
    ],
    ...[
      '{"type":"faults","sinceSeq":0}',
      '__proto__',
      '\\ud800',
      '\u00ff\u00fe',
      '{"type":"credit","bytes":0}',
    ],
    ...[FINISH, frame(PING, 'p'), frame(CLOSE, Buffer.of(3, 232)), frame(CLOSE, Buffer.of(0, 1)), credit(10)],
    ...[
      frame(BINARY, 'x'.repeat(300)),
      frame(0, 'y'),
      frame(TEXT, '{', false),
      frame(BINARY, Buffer.alloc(4097)),
    ],
    ...[
      Buffer.of(0xc1, 0x80, 0, 0, 0, 0),
      Buffer.of(0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    ],
  ],
  seeds: () => [
    seed(0, frame(BINARY, 'one, '), frame(TEXT, '{"type":"flush"}'), frame(BINARY, 'two'), FINISH),
    seed(0, credit(100_000), frame(BINARY, 'with credit'), FINISH),
    seed(0, frame(BINARY, 'frag', false), frame(0, 'mented'), frame(PING, 'ping'), FINISH),
    seed(1, frame(BINARY, Buffer.from('1f8b0800000000000003cb48cdc9c9070086a6103605000000', 'hex')), FINISH),
    seed(1, credit(2), frame(BINARY, Buffer.from('1f8b08000000', 'hex')), FINISH),
    seed(
      2,
      frame(TEXT, '{"type":"faults","sinceSeq":0}'),
      frame(TEXT, '{"type":"auth","token":"wrong token"}'),
    ),
    seed(2, frame(CLOSE, Buffer.of(3, 232))),
  ],
  async open() {
    const service = await openService({ headerTimeout: 20, idleTimeout: 20 });
    return {
      async run(input) {
        const route = ROUTES[(input[0] ?? 0) % ROUTES.length] ?? ROUTES[0];
        const sent = Buffer.concat([upgrade(route), input.subarray(2)]);
        const { bytes } = await exchange(service.port, sent, input[1] ?? 0, QUIET_MS, hasClose);
        const [answer] = answersIn(bytes);
        expect(answer?.status === 101, () => `no upgrade: ${shown(bytes)}`);
        const end = check(answer.body, route);
        // a client's own code is echoed (RFC 6455 5.5.1)
        const isEcho = sent.includes(frame(CLOSE, '').subarray(0, 1));
        expect(!(Number(end) > 0) || CLOSES.has(Number(end)) || isEcho, () => `close ${end}`);
        return end;
      },
      async settle() {
        const sent = Buffer.concat([upgrade(ROUTES[0]), frame(BINARY, 'still there'), FINISH]);
        const { bytes } = await exchange(service.port, sent, 0, 5000, hasClose);
        const end = check(answersIn(bytes)[0]?.body ?? bytes, ROUTES[0]);
        expect(end === '1000', () => `a good stream ended with ${end} afterwards`);
      },
      close: () => service.close(),
    };
  },
};

/** Whether the server said its last: the monitor goes on talking for ever. */
function hasClose(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1 || bytes.toString('latin1', 9, 12) !== '101') return false;
  return framesIn(bytes.subarray(end + 4)).some(({ opcode }) => opcode === CLOSE);
}
