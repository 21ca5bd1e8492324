/**
 * Hostile connections in a process of their own. argv: the service's URL, then JSON of how many of each kind. Says
 * "prepared" when what it sends is made, begins when it is told so, and says "ready" when all are there; kinds that the
 * service ends come again. Ends with its parent.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { gzipSync } from 'node:zlib';
import { STREAM_PROTOCOL } from '../../../shared/src/telemetry.ts';

const MIB = 1024 * 1024;
/** Another client than the honest ones, as attackers are. */
const ADDRESS = '127.0.0.2';
const DRIP_MS = 1000;
const AGAIN_MS = 1000;
/** Below the honest clients, which have the same CPU: what they measure is the service, not this process. */
const NICENESS = 10;

export type AttackKind =
  | 'slowHead'
  | 'slowBody'
  | 'halfOpenBody'
  | 'unreadAnswer'
  | 'pings'
  | 'garbage'
  | 'guesses'
  | 'bombs';
export type Attackers = Partial<Record<AttackKind, number>> & {
  /** What an answer that is not read, and a bomb, inflates to. */
  unreadMib?: number;
  bombMib?: number;
};

const [url = '', text = '{}'] = process.argv.slice(2);
const wanted = JSON.parse(text) as Attackers;
const { hostname, port } = new URL(url);

const post = (path: string, length: number, more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n${more}\r\n`;

async function opened(first: string | Buffer): Promise<Socket> {
  const socket = connect({ host: hostname, port: Number(port), localAddress: ADDRESS });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(first);
  return socket;
}

function dripping(socket: Socket, byte: string): Socket {
  const timer = setInterval(() => socket.write(byte), DRIP_MS);
  socket.once('close', () => clearInterval(timer)).resume();
  return socket;
}

/** Zeros in members of 64 MiB, so that they are made at once. */
function bombOf(mib: number): Buffer {
  const member = gzipSync(Buffer.alloc(64 * MIB));
  return Buffer.concat(Array<Buffer>(Math.ceil(mib / 64)).fill(member));
}
const unread = bombOf(wanted.unreadMib ?? 768);
const read = bombOf(wanted.bombMib ?? 64);

const UPGRADE =
  'GET /v1/stream?op=compress HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ${STREAM_PROTOCOL}\r\n\r\n`;
const ping = Buffer.concat([Buffer.from([0x89, 0xfd, 0, 0, 0, 0]), Buffer.alloc(125)]);

const ATTACKS: Record<AttackKind, () => Promise<Socket>> = {
  slowHead: async () => dripping(await opened('GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX: '), 'x'),
  slowBody: async () => dripping(await opened(post('/v1/compress', 1e6)), 'x'),
  halfOpenBody: async () => (await opened(`${post('/v1/decompress', 1e6)}\x1f\x8b`)).resume(),
  unreadAnswer: async () => {
    const socket = await opened(post('/v1/decompress', unread.length));
    socket.pause();
    socket.write(unread);
    return socket;
  },
  pings: async () => {
    const socket = await opened(UPGRADE);
    socket.pause();
    const timer = setInterval(() => socket.write(ping), DRIP_MS / 10);
    socket.once('close', () => clearInterval(timer));
    return socket;
  },
  garbage: async () =>
    (await opened('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 GET / HTTP\r\n\r\n')).resume(),
  guesses: async () =>
    (
      await opened(
        'POST /v1/mdevs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      )
    ).resume(),
  bombs: async () => {
    const socket = await opened(post('/v1/decompress', read.length, 'Connection: close\r\n'));
    socket.write(read);
    return socket.resume();
  },
};

async function keep(kind: AttackKind): Promise<void> {
  const socket = await ATTACKS[kind]();
  socket.once('close', () => setTimeout(() => void keep(kind).catch(() => {}), AGAIN_MS));
}

setPriority(NICENESS);
process.on('disconnect', () => process.exit());
process.send?.('prepared');
await once(process, 'message');
for (const kind of Object.keys(ATTACKS) as AttackKind[])
  for (let i = 0; i < (wanted[kind] ?? 0); i++) await keep(kind);
process.send?.('ready');
