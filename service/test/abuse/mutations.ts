/**
 * The defences of docs/security.md, each with what takes it out of the compiled code: `find` is in `file` exactly once
 * and becomes `replace`. `npm run test:mutations` shows that the named test fails then.
 */
export interface Mutation {
  /** Number of the row in the attack table. */
  row: number;
  /** Below dist/service/src, without `.js`. */
  file: string;
  find: string;
  replace: string;
  /** Below service, without `.ts`. */
  testFile: string;
  /** The whole title. */
  test: string;
}

const mutation = (
  row: number,
  [file, find, replace]: readonly [string, string, string],
  [testFile, test]: readonly [string, string],
): Mutation => ({ row, file, find, replace, testFile, test });

const SLOW = 'test/abuse/http-slow.test';
const SHAPES = 'test/abuse/http-shapes.test';
const FRAMES = 'test/abuse/ws-frames.test';
const BOMBS = 'test/abuse/bombs.test';
const FLOODS = 'test/abuse/floods.test';
const NAMES = 'test/abuse/names.test';
const PEERS = 'test/abuse/attach-peers.test';
const EDGES = 'test/http-edges.test';
const TOKENS = 'test/http-tokens.test';

export const MUTATIONS: readonly Mutation[] = [
  mutation(
    1,
    ['http/server', 'headersTimeout: limits.headerTimeout', 'headersTimeout: 0'],
    [SLOW, 'that drips byte by byte is 408 all the same: the time counts for the whole'],
  ),
  mutation(
    2,
    ['http/server', 'server.timeout = deps.idleMs', 'server.timeout = 0'],
    [SLOW, 'that stands still is 408 (/v1/decompress)'],
  ),
  mutation(
    3,
    ['http/exchange', 'if (maxTimeMs > 0)', 'if (false)'],
    [SLOW, 'that drips lives on as long as --max-time lets it'],
  ),
  mutation(
    4,
    ['http/server', 'server.timeout = deps.idleMs', 'server.timeout = 0'],
    [SLOW, 'is broken off after --idle-timeout, and its stream is freed'],
  ),
  mutation(
    5,
    ['codec/output-limits', 'if (maxOutputBytes > 0 && bytesOut > maxOutputBytes)', 'if (false)'],
    [BOMBS, 'passes at --max-output and is refused one byte over, by name and before a byte more comes out'],
  ),
  mutation(
    6,
    ['codec/output-limits', 'if (maxRatio > 0 &&', 'if (false &&'],
    [BOMBS, 'is refused by --max-ratio, which the answer names'],
  ),
  mutation(
    7,
    ['codec/output-limits', 'if (maxOutputBytes > 0 && bytesOut > maxOutputBytes)', 'if (false)'],
    [BOMBS, 'counts as one answer'],
  ),
  mutation(
    8,
    ['http/negotiate', 'if (more.length > 0)', 'if (false)'],
    [BOMBS, 'has one layer undone and no more'],
  ),
  mutation(
    9,
    ['http/products', 'limits.maxInput > 0 &&', 'false &&'],
    [EDGES, 'of input that is announced, chunked, small and streamed'],
  ),
  mutation(
    10,
    ['http/server', 'maxHeaderSize: limits.maxHeaderBytes', 'maxHeaderSize: 1048576'],
    [EDGES, 'may have --max-header-bytes and not many more'],
  ),
  mutation(
    11,
    ['ops/header-count', 'if (count <= limit)', 'if (true)'],
    [EDGES, 'may have --max-headers fields and not one more, on any route'],
  ),
  mutation(
    12,
    ['http/server', 'requestTimeout: 0,', 'requestTimeout: 0, insecureHTTPParser: true,'],
    [SHAPES, 'by a length and chunks gets one 400 and no second answer'],
  ),
  mutation(
    13,
    ['http/server', 'maxHeaderSize: limits.maxHeaderBytes', 'maxHeaderSize: 1048576'],
    [SHAPES, 'with trailers over --max-header-bytes is refused'],
  ),
  mutation(
    14,
    ['ws/stream', 'maxPayload: deps.limits.maxFrame', 'maxPayload: 0'],
    [FRAMES, 'that announces 1 TiB ends the connection with 1009'],
  ),
  mutation(
    15,
    ['ws/stream', 'noServer: true,', 'noServer: true, skipUTF8Validation: true,'],
    [FRAMES, 'of text that is not UTF-8 ends the connection with 1007'],
  ),
  mutation(
    16,
    ['ws/stream', 'maxFragments: MAX_FRAGMENTS', 'maxFragments: 0'],
    [FRAMES, 'in more than 1024 pieces ends the stream with 1008'],
  ),
  mutation(
    17,
    ['ws/pongs', 'if (stopTimer === undefined)', 'if (true)'],
    [FRAMES, 'are answered once a second, so that pongs cost nothing (/v1/stream?op=compress)'],
  ),
  mutation(
    18,
    ['ws/heartbeat', 'nowUs - answeredAtUs >=', 'nowUs < 0 && nowUs - answeredAtUs >='],
    [EDGES, 'cuts a WebSocket off that answers no ping, and keeps an idle one that does'],
  ),
  mutation(
    19,
    ['ws/output-queue', 'if (this.limits.idleMs > 0)', 'if (false)'],
    [
      'test/ws-credit.test',
      'costs its buffer and no more, and is cut off when it takes nothing for the idle limit',
    ],
  ),
  mutation(
    20,
    [
      'ws/control-message',
      'message.safeParse(JSON.parse(text)).data',
      "message.safeParse(JSON.parse(text)).data ?? { type: 'flush' }",
    ],
    [FRAMES, 'with text that is no control message ends the stream with 4400, however it is nested'],
  ),
  mutation(
    21,
    ['http/server', 'if (open <= limitConnections)', 'if (true)'],
    [FLOODS, 'ends at --max-connections: one more is 503, until one ends'],
  ),
  mutation(
    22,
    ['ops/stream-slots', 'if (own.streams >= maxStreamsPerClient)', 'if (false)'],
    [
      EDGES,
      'may reach --max-streams-per-client; one more is 429, over HTTP and as a WebSocket, until one ends',
    ],
  ),
  mutation(
    23,
    ['ws/monitor', 'if (this.sessions.size >= MAX_SESSIONS)', 'if (false)'],
    [FLOODS, 'ends at 64: one more is closed with 1013'],
  ),
  mutation(
    24,
    ['ops/access', 'if (host !== undefined && !this.isKnownHost(host))', 'if (false)'],
    [NAMES, 'with Host localhost.evil.example is 403 on every route and for upgrades'],
  ),
  mutation(
    25,
    ['ops/access', 'if (origin === undefined ||', 'if (true ||'],
    [NAMES, 'is refused without CORS fields, on every route, for preflights and for upgrades'],
  ),
  mutation(
    26,
    ['http/app', 'express.static(MONITOR_FILES,', "express.static('/',"],
    [NAMES, 'below /monitor/ reaches no file of the host'],
  ),
  mutation(
    27,
    ['kernel/mdev/parent-device', 'if (!UUID.test(name))', 'if (false)'],
    [NAMES, 'is one of 36 characters or 400, wherever it stands'],
  ),
  mutation(
    28,
    ['ops/token-guesses', 'entry.count < this.limit', 'entry.count < Infinity'],
    [TOKENS, 'ends with 429 and Retry-After, for the right token too, while tokenless requests go on'],
  ),
  mutation(
    29,
    ['ws/monitor', 'return refused === undefined && this', 'return this'],
    [FRAMES, 'is counted as by header fields, over all connections'],
  ),
  mutation(
    30,
    ['ops/access', 'return this.dataHash !== undefined || !this.loopbackOnly', 'return false'],
    [TOKENS, 'are 401 without a token or with a wrong one, and open to the data and the admin token'],
  ),
  mutation(
    31,
    ['ops/request-id', '/^[\\w.:/+=-]{1,128}$/', '/^/'],
    [
      NAMES,
      'is not possible: whatever a client sends, a line of the log is one JSON object without control characters',
    ],
  ),
  mutation(
    32,
    ['attach/server', "name.slice(0, MAX_NAME_LENGTH).replace(/[\\p{C}\\p{Zl}\\p{Zp}]/gu, '?')", 'name'],
    [PEERS, 'is shown without what a terminal would execute'],
  ),
  mutation(
    33,
    ['attach/server', 'SOCKET_MODE = 0o660', 'SOCKET_MODE = 0o666'],
    [PEERS, 'may not connect to the attach socket, nor open a queue’s memory'],
  ),
  mutation(
    34,
    ['attach/foreign-process', 'if (owner === uid)', 'if (true)'],
    [PEERS, 'is not looked at when its rights changed since it connected'],
  ),
  mutation(
    35,
    ['kernel/iommu/iommu', 'if (last?.pid !== undefined && space.isGone?.())', 'if (false)'],
    ['src/kernel/iommu/remote-address-space.test', 'is reached no more, by cached translations neither'],
  ),
  mutation(
    36,
    ['attach/server', 'if (isOurs && !isOpen)', 'if (true)'],
    [PEERS, 'cannot have prepared the folder of the socket'],
  ),
  mutation(
    37,
    ['kernel/iommu/address-space', "return 'forbidden';", ''],
    ['test/iommu-isolation.test', 'lets no byte move that a plain model forbids, over 120000 random steps'],
  ),
  mutation(
    38,
    ['platform/physical-memory', 'this.view(address, frames * PAGE_BYTES).fill(0);', ''],
    ['src/kernel/kernel.test', 'lets the next process read only zeros from the frames'],
  ),
  mutation(
    39,
    ['attach/foreign-process', 'queues = new Map();', 'queues = (globalThis.queuesOfAll ??= new Map());'],
    ['test/attach-faults.test', 'H1 names the errno of what a process may not ask'],
  ),
  mutation(
    40,
    ['attach/server', 'if (!this.socket.writableNeedDrain)', 'if (true)'],
    [PEERS, 'gets no more answers than it reads'],
  ),
  mutation(
    41,
    ['attach/foreign-process', 'if (this.dmaFiles.length >= MAX_DMA_FILES)', 'if (false)'],
    [PEERS, 'gets 64 pieces of shared memory and ENOMEM for one more'],
  ),
  mutation(
    42,
    ['attach/server', 'this.server.maxConnections = MAX_CONNECTIONS;', ''],
    [PEERS, 'finds 256 connections at most'],
  ),
  mutation(
    43,
    ['platform/libc', 'F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL', 'F_SEAL_SEAL'],
    ['test/attach-faults.test', 'H1 lets a process change the size of no memory that the service has mapped'],
  ),
];
