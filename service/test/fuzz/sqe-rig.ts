/**
 * A queue in mode vfio, driven by the plain driver, with canaries around all that it may write: what lies between the
 * mapped windows, the window that it may only read, and the memory of a neighbour at the same IOVAs.
 */
import { inflateRawSync } from 'node:zlib';
import { addressOf, PlainQueue, PlainSocket, text, u32, u64 } from '../plain/plain-driver.ts';
import { resultOf, sqeOf } from '../plain/plain-sqe.ts';
import { openAttachHost } from '../support/attach-host.ts';
import { freshMemory } from '../support/attach-memory.ts';
import { expect } from './target.ts';

const WINDOW_BYTES = 0x1_0000;
/** What the device sees: windows with room between them that is not mapped. */
export const IOVA = { source: 0x10_0000, destination: 0x20_0000, context: 0x30_0000 } as const;
type WindowName = keyof typeof IOVA;
const RIGHTS = { source: 1, destination: 3, context: 3 } as const;
const NAMES = Object.keys(IOVA) as WindowName[];
const CANARY = 0xa5;
/** docs/emulator.md; 0x42, a dead engine core, is never the answer to bytes. */
const STATUSES = new Set([0, 0x02, 0x03, 0x0d, 0x0e, 0x10, 0x13, 0x41]);
/** Words that the device writes back, the tag of V3 between them. */
const OUT_WORDS = new Set([0, 1, 2, 3, 13, 15, 28, 29, 30, 31]);

export interface Range {
  from: number;
  bytes: number;
}

/** One attached user: windows in one piece of memory, each with a window of canary behind it. */
async function user(path: string, operations: readonly number[]) {
  const socket = await PlainSocket.open(path);
  await socket.request(2, Buffer.from([1]), text('sqe fuzz'), text(''));
  const memory = freshMemory(2 * NAMES.length * WINDOW_BYTES).fill(CANARY);
  const windows = {} as Record<WindowName, Uint8Array>;
  for (const [index, name] of NAMES.entries()) {
    windows[name] = memory.subarray(2 * index * WINDOW_BYTES, (2 * index + 1) * WINDOW_BYTES);
    const place = [u64(addressOf(windows[name])), u64(IOVA[name]), u64(WINDOW_BYTES), u32(RIGHTS[name])];
    await socket.request(6, ...place);
  }
  const queues: PlainQueue[] = [];
  for (const operation of operations) queues.push(await PlainQueue.open(socket, operation));
  return { socket, memory, windows, queues };
}

export async function openRig() {
  const host = await openAttachHost({
    mode: 'sva',
    cores: 1,
    inlineBytes: 1 << 20,
    queues: 2,
    engineLimitMs: 20_000,
  });
  for (let i = 0; i < 4; i++) host.host.kernel.createMdev({ type: 'hisi_zip-zip' }, true);
  const own = await user(host.path, [0, 1]);
  const neighbour = await user(host.path, []);
  const { windows, memory } = own;
  const expected = new Uint8Array(memory.length);
  const canary = new Uint8Array(memory.length).fill(CANARY);

  return {
    windows,
    /** Fills everything with canaries. */
    reset(): void {
      memory.fill(CANARY);
    },
    /**
     * Runs one SQE and checks all that holds for any.
     * @param operation 0 compress, 1 decompress
     * @param writable what the SQE lets the device write
     */
    async run(operation: number, sqe: Uint8Array, writable: readonly Range[]): Promise<DataView> {
      const queue = own.queues[operation];
      if (!queue) throw new RangeError(`no queue for operation ${operation}`);
      expected.set(memory);
      const done = await queue.run(sqe);
      const status = done.getUint32(12, true) & 0xff;
      expect(STATUSES.has(status), () => `status 0x${status.toString(16)}`);
      for (let word = 0; word < 32; word++) {
        const [was, is] = [
          new DataView(sqe.buffer, sqe.byteOffset).getUint32(word * 4, true),
          done.getUint32(word * 4, true),
        ];
        expect(was === is || OUT_WORDS.has(word), () => `word ${word} was ${was} and is ${is}`);
      }
      for (const { from, bytes } of writable) allow(from, bytes);
      expect(Buffer.compare(expected, memory) === 0, () => whereElse());
      expect(Buffer.compare(neighbour.memory, canary) === 0, () => "a neighbour's memory changed");
      return done;
    },
    /** A good job still comes out right. */
    async checkAlive(): Promise<void> {
      memory.fill(CANARY);
      const [source, destination] = [windows.source.subarray(0, 3000), windows.destination.subarray(0, 6000)];
      source.set(Buffer.from('a good job '.repeat(300)).subarray(0, 3000));
      const places = { 18: IOVA.source, 19: 0, 20: IOVA.destination, 21: 0 };
      const { sqe } = sqeOf({ type: 1, source, destination, patch: places });
      const { status, produced } = resultOf(await (own.queues[0] as PlainQueue).run(sqe));
      const isRight =
        status === 0 && inflateRawSync(destination.subarray(0, produced)).equals(Buffer.from(source));
      expect(isRight, () => `a good job afterwards: status ${status}, ${produced} bytes`);
    },
    close(): Promise<void> {
      own.socket.close();
      neighbour.socket.close();
      return host.close();
    },
  };

  /** Takes over what was written where it may be. */
  function allow(from: number, bytes: number): void {
    for (const [index, name] of NAMES.entries()) {
      if (RIGHTS[name] !== 3) continue;
      const start = Math.max(from, IOVA[name]);
      const end = Math.min(from + bytes, IOVA[name] + WINDOW_BYTES);
      if (start >= end) continue;
      const at = 2 * index * WINDOW_BYTES + start - IOVA[name];
      expected.set(memory.subarray(at, at + end - start), at);
    }
  }

  function whereElse(): string {
    const at = memory.findIndex((byte, index) => byte !== expected[index]);
    const name = NAMES[Math.floor(at / WINDOW_BYTES / 2)] ?? '';
    const offset = at % (2 * WINDOW_BYTES);
    return `byte ${offset} of ${name}${offset >= WINDOW_BYTES ? ', behind its window,' : ''} was written`;
  }
}
export type Rig = Awaited<ReturnType<typeof openRig>>;
