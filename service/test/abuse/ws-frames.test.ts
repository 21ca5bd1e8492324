/** WebSocket frames of every wrong kind (RFC 6455, section 5), written byte by byte. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { MONITOR_PROTOCOL, STREAM_PROTOCOL } from '../../../shared/src/telemetry.ts';
import type { RunningService } from '../../src/service.ts';
import { rawConnection } from '../http-client.ts';
import { hostDouble } from '../http-double.ts';
import { ADMIN_TOKEN, eventually, serviceOn } from '../http-service.ts';

const KIB = 1024;
const MIB = 1024 * 1024;
const MAX_FRAME = 4096;
const MAX_BUFFERED = 64 * 1024;
const OP = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** What sockets of both sides hold at most. */
const KERNEL_BUFFERS = 12 * MIB;

let service: RunningService;
before(async () => {
  service = await serviceOn(hostDouble(), {
    maxFrame: MAX_FRAME,
    maxBuffered: MAX_BUFFERED,
    idleTimeout: '2s',
  });
});
after(() => service.stop());

interface Shape {
  opcode: number;
  payload?: Buffer;
  isFinal?: boolean;
  reserved?: number;
  isMasked?: boolean;
  /** Announced instead of the payload's real length. */
  announced?: bigint;
}

function frame({
  opcode,
  payload = Buffer.alloc(0),
  isFinal = true,
  reserved = 0,
  isMasked = true,
  announced,
}: Shape) {
  const mask = isMasked ? 0x80 : 0;
  const head = [(isFinal ? 0x80 : 0) | (reserved << 4) | opcode];
  const length = announced ?? BigInt(payload.length);
  if (length < 126n) head.push(mask | Number(length));
  else if (length < 65_536n) head.push(mask | 126, Number(length) >> 8, Number(length) & 255);
  else {
    const wide = Buffer.alloc(8);
    wide.writeBigUInt64BE(length);
    head.push(mask | 127, ...wide);
  }
  // a mask of zeros leaves the payload as it is
  return Buffer.concat([Buffer.from(head), ...(isMasked ? [Buffer.alloc(4)] : []), payload]);
}

const ROUTES = [
  ['/v1/stream?op=compress', STREAM_PROTOCOL],
  ['/v1/monitor', MONITOR_PROTOCOL],
] as const;

async function upgraded(path: string, protocol: string): Promise<Socket> {
  const socket = await rawConnection(
    service.url,
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 101 /);
  return socket;
}

/** The code of the close frame, or 1006 if the connection ends without one. */
async function closeCode(socket: Socket): Promise<number> {
  let bytes = Buffer.alloc(0);
  const found = new Promise<number>((resolve) => {
    socket.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part]);
      const code = closeCodeIn(bytes);
      if (code !== undefined) resolve(code);
    });
  });
  const code = await Promise.race([found, once(socket, 'close').then(() => 1006)]);
  socket.destroy();
  return code;
}

function closeCodeIn(bytes: Buffer): number | undefined {
  for (let at = 0; at + 4 <= bytes.length; ) {
    let length = (bytes[at + 1] ?? 0) & 127;
    let head = 2;
    if (length === 126) [length, head] = [bytes.readUInt16BE(at + 2), 4];
    else if (length === 127 && at + 10 <= bytes.length)
      [length, head] = [Number(bytes.readBigUInt64BE(at + 2)), 10];
    if (((bytes[at] ?? 0) & 15) === OP.close && length >= 2) return bytes.readUInt16BE(at + head);
    at += head + length;
  }
  return undefined;
}

const CASES: readonly (readonly [string, Buffer, number])[] = [
  ['without a mask', frame({ opcode: OP.text, payload: Buffer.from('{}'), isMasked: false }), 1002],
  ['with a reserved bit', frame({ opcode: OP.binary, reserved: 1, payload: Buffer.from('x') }), 1002],
  [
    'with the bit of compression, which is off',
    frame({ opcode: OP.binary, reserved: 4, payload: Buffer.from('x') }),
    1002,
  ],
  ['with a reserved opcode', frame({ opcode: 3 }), 1002],
  ['with a reserved control opcode', frame({ opcode: 11 }), 1002],
  ['of control over 125 bytes', frame({ opcode: OP.ping, payload: Buffer.alloc(126) }), 1002],
  ['of control in fragments', frame({ opcode: OP.ping, isFinal: false, payload: Buffer.from('x') }), 1002],
  ['that goes on with nothing', frame({ opcode: OP.continuation, payload: Buffer.from('x') }), 1002],
  [
    'that begins anew inside a message',
    Buffer.concat([
      frame({ opcode: OP.binary, isFinal: false, payload: Buffer.from('x') }),
      frame({ opcode: OP.binary }),
    ]),
    1002,
  ],
  ['of text that is not UTF-8', frame({ opcode: OP.text, payload: Buffer.from([0xc3, 0x28]) }), 1007],
  ['of close with one byte', frame({ opcode: OP.close, payload: Buffer.from([3]) }), 1002],
  [
    'of close with a code that may not be sent',
    frame({ opcode: OP.close, payload: Buffer.from([0x03, 0xee]) }),
    1002,
  ],
  [
    'of close with a code out of range',
    frame({ opcode: OP.close, payload: Buffer.from([0xff, 0xff]) }),
    1002,
  ],
  [
    'of close with a reason that is not UTF-8',
    frame({ opcode: OP.close, payload: Buffer.from([0x03, 0xe8, 0xc3, 0x28]) }),
    1007,
  ],
  ['that announces 2^63 bytes', frame({ opcode: OP.binary, announced: 2n ** 63n }), 1009],
  ['that announces 1 TiB', frame({ opcode: OP.binary, announced: 2n ** 40n }), 1009],
];

describe('a WebSocket frame', () => {
  for (const [name, bytes, code] of CASES)
    it(`${name} ends the connection with ${code}`, async () => {
      for (const [path, protocol] of ROUTES) {
        const socket = await upgraded(path, protocol);
        const closed = closeCode(socket);
        socket.write(bytes);
        assert.equal(await closed, code, path);
      }
    });

  it('in more than 1024 pieces ends the stream with 1008', async () => {
    const socket = await upgraded(...ROUTES[0]);
    const closed = closeCode(socket);
    socket.write(frame({ opcode: OP.binary, isFinal: false, payload: Buffer.from('x') }));
    for (let i = 0; i < 1100; i++) socket.write(frame({ opcode: OP.continuation, isFinal: false }));
    assert.equal(await closed, 1008);
  });

  it('with text that is no control message ends the stream with 4400, however it is nested', async () => {
    for (const text of [
      '{"type":"__proto__"}',
      '[]',
      `${'['.repeat(500)}`,
      '{"type":"credit","bytes":1e999}',
    ]) {
      const socket = await upgraded(...ROUTES[0]);
      const closed = closeCode(socket);
      socket.write(frame({ opcode: OP.text, payload: Buffer.from(text) }));
      assert.equal(await closed, 4400, text.slice(0, 40));
    }
  });
});

describe('pings without end', () => {
  for (const [path, protocol] of ROUTES)
    it(`are answered once a second, so that pongs cost nothing (${path})`, async () => {
      const socket = await upgraded(path, protocol);
      socket.pause();
      const ping = frame({ opcode: OP.ping, payload: Buffer.alloc(125) });
      const many = Buffer.alloc(ping.length * 8192, ping);
      const rounds = Math.ceil((3 * KERNEL_BUFFERS) / many.length);
      for (let i = 0; i < rounds && !socket.destroyed; i++)
        await new Promise<void>((sent) => socket.write(many, () => sent()));
      let received = 0;
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      // its close frame comes behind every pong that was made for it
      socket.write(frame({ opcode: OP.close, payload: Buffer.from([0x03, 0xe8]) }));
      socket.resume();
      await once(socket, 'close');
      assert.ok(received > 0);
      // the monitor's feed is in it
      assert.ok(received < 256 * KIB, `${(received / KIB).toFixed(0)} KiB for ${rounds * 8192} pings`);
    });
});

describe('token guessing by messages of the monitor', () => {
  it('is counted as by header fields, over all connections', async () => {
    const guarded = await serviceOn(hostDouble(), { maxTokenGuesses: 4 });
    try {
      const ask = async (token: string): Promise<boolean> => {
        const ws = new WebSocket(`${guarded.url.replace('http', 'ws')}/v1/monitor`, MONITOR_PROTOCOL);
        const said: { type: string; isAdmin?: boolean }[] = [];
        ws.addEventListener(
          'message',
          ({ data }) => void said.push(JSON.parse(String(data)) as { type: string }),
        );
        await new Promise((opened) => ws.addEventListener('open', opened, { once: true }));
        ws.send(JSON.stringify({ type: 'auth', token }));
        await eventually(() => said.some(({ type }) => type === 'auth'), 'an answer');
        ws.close();
        return said.find(({ type }) => type === 'auth')?.isAdmin === true;
      };
      assert.equal(await ask(ADMIN_TOKEN), true);
      for (let i = 0; i < 4; i++) assert.equal(await ask(`guess-number-${i}`), false);
      assert.equal(await ask(ADMIN_TOKEN), false, 'the right one comes too late');
    } finally {
      await guarded.stop();
    }
  });
});
