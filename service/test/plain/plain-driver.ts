/**
 * A driver of its own, to check the device by: written from docs/attach.md and the published layouts of the queue
 * manager and the ZIP engine, in plain bytes. It imports nothing of this project, so a mistake in the project's own
 * tables cannot hide in it.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const mmap = libc.func(
  'void *mmap(void *at, size_t bytes, int protection, int flags, int fd, int64_t offset)',
);
const prctl = libc.func(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
);

/** Where a buffer's bytes are in this process, for SQEs of mode sva. */
export const addressOf = (bytes: Uint8Array): bigint => BigInt(koffi.address(bytes));

export class Refusal extends Error {
  constructor(
    readonly errno: number,
    message: string,
  ) {
    super(message);
  }
}

/** The conversation over the Unix socket. */
export class PlainSocket {
  readonly notices: { opcode: number; queue: number }[] = [];
  private held: Buffer = Buffer.alloc(0);
  private sequence = 0;
  private readonly waiting = new Map<number, (errno: number, payload: Buffer) => void>();
  private noticed: () => void = () => {};

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes) => this.receive(bytes));
  }

  static async open(path: string): Promise<PlainSocket> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const plain = new PlainSocket(socket);
    const hello = await plain.request(1, u32(1));
    prctl(0x59616d61, hello.readUInt32LE(4), 0, 0, 0); // PR_SET_PTRACER, where Yama restricts ptrace
    return plain;
  }

  /** @throws Refusal */
  request(opcode: number, ...payload: Buffer[]): Promise<Buffer> {
    const sequence = ++this.sequence;
    this.send(opcode, sequence, Buffer.concat(payload));
    return new Promise((resolve, reject) => {
      this.waiting.set(sequence, (errno, answer) => {
        if (errno === 0) resolve(answer);
        else reject(new Refusal(errno, answer.toString('utf8', 2, 2 + answer.readUInt16LE(0))));
      });
    });
  }

  kick(queue: number): void {
    this.send(64, 0, u16(queue));
  }

  /** The next notice that is not looked at yet. */
  async notice(): Promise<{ opcode: number; queue: number }> {
    for (;;) {
      const next = this.notices.shift();
      if (next) return next;
      await new Promise<void>((resolve) => {
        this.noticed = resolve;
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private send(opcode: number, sequence: number, payload: Buffer): void {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(payload.length, 0);
    head.writeUInt16LE(opcode, 4);
    head.writeUInt32LE(sequence, 8);
    this.socket.write(Buffer.concat([head, payload]));
  }

  private receive(bytes: Buffer): void {
    this.held = Buffer.concat([this.held, bytes]);
    while (this.held.length >= 12 && this.held.length >= 12 + this.held.readUInt32LE(0)) {
      const length = 12 + this.held.readUInt32LE(0);
      const frame = this.held.subarray(0, length);
      this.held = this.held.subarray(length);
      const sequence = frame.readUInt32LE(8);
      if (sequence === 0) {
        this.notices.push({ opcode: frame.readUInt16LE(4), queue: frame.readUInt16LE(12) });
        this.noticed();
      } else this.waiting.get(sequence)?.(frame.readUInt16LE(6), frame.subarray(12));
    }
  }
}

const SQ = 8192;
const CQ = SQ + 1024 * 128;
const REGION = SQ + 151552;

/** One queue: its registers and rings as the file that both sides map. */
export class PlainQueue {
  /** Times that the completion ring wrapped. */
  wraps = 0;
  private tail = 0;
  private head = 0;
  private phase = 1;

  private constructor(
    private readonly socket: PlainSocket,
    readonly number: number,
    readonly hardware: number,
    private readonly region: ArrayBuffer,
  ) {}

  /** @param operation 0 compress, 1 decompress */
  static async open(socket: PlainSocket, operation: number, priority = 0): Promise<PlainQueue> {
    const opened = await socket.request(3, Buffer.from([operation, priority]));
    const path = opened.toString('utf8', 14, 14 + opened.readUInt16LE(12));
    const fd = openSync(path, constants.O_RDWR);
    const region = koffi.view(mmap(null, REGION, 3, 1, fd, 0), REGION); // PROT_READ | PROT_WRITE, MAP_SHARED
    closeSync(fd);
    const number = opened.readUInt16LE(0);
    await socket.request(4, u16(number));
    return new PlainQueue(socket, number, opened.readUInt16LE(2), region);
  }

  get inFlight(): number {
    return (this.tail - this.head + 1024) % 1024;
  }

  /** *rx stop* and *tx stop*. */
  get stopWords(): [number, number] {
    const words = new Uint32Array(this.region, REGION - 8, 2);
    return [words[0] ?? -1, words[1] ?? -1];
  }

  /** @param sqe 128 bytes */
  submit(sqe: Uint8Array): void {
    new Uint8Array(this.region, SQ + this.tail * 128, 128).set(sqe);
    this.tail = (this.tail + 1) % 1024;
    this.ring(0, this.tail, 0);
  }

  /** Stores any doorbell, valid or not. */
  ring(command: number, index: number, priority: number): void {
    const value =
      BigInt(this.number) | (BigInt(command) << 12n) | (BigInt(index) << 32n) | (BigInt(priority) << 48n);
    Atomics.store(new BigUint64Array(this.region, 0x1000 + 8 * command, 1), 0, value);
    if (Atomics.load(new Int32Array(this.region, 0, 1), 0) === 1) this.socket.kick(this.number);
  }

  /** The next completed SQE as it stands in its slot, with its CQE; undefined if there is none yet. */
  take(isArming = false): { sqe: DataView; cqe: DataView } | undefined {
    const at = CQ + this.head * 16;
    const word3 = Atomics.load(new Int32Array(this.region, at + 12, 1), 0);
    if (((word3 >> 16) & 1) !== this.phase) return undefined;
    const cqe = new DataView(this.region.slice(at, at + 16));
    const slot = SQ + cqe.getUint16(8, true) * 128;
    const sqe = new DataView(this.region.slice(slot, slot + 128));
    this.head = (this.head + 1) % 1024;
    if (this.head === 0) {
      this.phase ^= 1;
      this.wraps++;
    }
    this.ring(1, this.head, isArming ? 1 : 0);
    return { sqe, cqe };
  }

  /** Asks for an interrupt at the next completion. */
  arm(): void {
    this.ring(1, this.head, 1);
  }

  /** Submits one SQE and looks until it is done. */
  async run(sqe: Uint8Array): Promise<DataView> {
    this.submit(sqe);
    const end = Date.now() + 20_000;
    for (;;) {
      const done = this.take();
      if (done) return done.sqe;
      if (Date.now() > end) throw new Error('no completion within 20 s');
      await new Promise((next) => setImmediate(next));
    }
  }
}

export const u16 = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
export const u32 = (value: number): Buffer => Buffer.concat([u16(value & 0xffff), u16(value >>> 16)]);
export const u64 = (value: bigint | number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
export const text = (value: string): Buffer =>
  Buffer.concat([u16(Buffer.byteLength(value)), Buffer.from(value)]);
