/**
 * Streams whose 64 KiB context and context words were changed between two jobs, as the owner of the memory can: wrong
 * bytes may come out, but within the buffers, with a named status, and the engine core lives.
 * Input: operation (byte 0), data (byte 1), bytes of the first job (byte 2, times 16), room of the first job (byte 3,
 * times 64), changes of the five context words (20 bytes, by XOR), then changes of the context: offset (u16; below
 * 0x8000 it is within the first KiB, where the state is), value (u8).
 */
import { deflateRawSync } from 'node:zlib';
import { resultOf, sqeOf } from '../plain/plain-sqe.ts';
import { mixed } from '../support/corpus.ts';
import { IOVA, openRig } from './sqe-rig.ts';
import type { FuzzTarget } from './target.ts';

const PLAIN = mixed(8000, 5);
const PACKED = [
  deflateRawSync(PLAIN),
  deflateRawSync(PLAIN, { level: 0 }),
  deflateRawSync(PLAIN, { strategy: 4 }),
  deflateRawSync(Buffer.alloc(30_000, 'ab')),
];
const WORDS_AT = 4;
const EDITS_AT = WORDS_AT + 20;
const ROOM = 4096;
const MAX_JOBS = 12;
const PLACES = { 18: IOVA.source, 19: 0, 20: IOVA.destination, 21: 0, 22: IOVA.context + 64, 23: 0 };
const WRITABLE = [
  { from: IOVA.destination, bytes: ROOM },
  { from: IOVA.context + 64, bytes: 0x1_0000 - 64 },
];

const seed = (operation: number, data: number, first: number, room: number, ...edits: number[]): Uint8Array =>
  Buffer.concat([Buffer.of(operation, data, first, room), Buffer.alloc(20), Buffer.from(edits)]);

export const context: FuzzTarget = {
  name: 'context',
  width: 1,
  maxBytes: 512,
  dictionary: [
    Buffer.from([0, 0, 255, 1, 0, 255, 2, 0, 255, 3, 0, 255]),
    Buffer.from([4, 0, 255, 5, 0, 255, 6, 0, 255, 7, 0, 127]),
    Buffer.from([8, 0, 255, 9, 0, 255, 12, 0, 1]),
    Buffer.alloc(4, 255),
    Buffer.from([0, 0x80, 0]),
  ],
  seeds: () => [
    ...[0, 1, 2, 3].map((data) => seed(1, data, 20, 4, 0, 0, 0)),
    seed(1, 0, 1, 64, 40, 0, 1),
    seed(1, 3, 2, 10, 0, 0x90, 7),
    seed(0, 0, 100, 10, 4, 0, 1),
    seed(0, 0, 30, 64, 0, 0x90, 7),
  ],
  async open() {
    const rig = await openRig();
    return {
      async run(input) {
        const operation = (input[0] ?? 0) & 1;
        const data = operation === 0 ? PLAIN : (PACKED[(input[1] ?? 0) % PACKED.length] ?? PLAIN);
        rig.reset();
        rig.windows.source.set(data);
        let at = 0;
        let carried: ReturnType<typeof resultOf>['carried'] | undefined;
        let statuses = '';
        for (let job = 0; job < MAX_JOBS; job++) {
          const isFirst = job === 0;
          const size = Math.min(data.length - at, isFirst ? (input[2] ?? 0) * 16 : 2048);
          const room = isFirst ? Math.min(ROOM, Math.max(200, (input[3] ?? 0) * 64)) : ROOM;
          const { sqe } = sqeOf({
            type: 1,
            source: rig.windows.source.subarray(0, size),
            destination: rig.windows.destination.subarray(0, room),
            context: rig.windows.context,
            isFinal: operation === 1 || at + size === data.length,
            patch: { ...PLACES, 18: IOVA.source + at },
            ...(carried ? { carried } : {}),
          });
          const result = resultOf(await rig.run(operation, sqe, WRITABLE));
          statuses = `0x${result.status.toString(16)}`;
          if (!isFirst && result.status !== 0 && result.status !== 0x0e) break;
          at += Math.min(result.consumed, size);
          carried = isFirst ? spoil(result.carried, rig.windows.context, input) : result.carried;
        }
        return `${operation === 0 ? 'compress' : 'decompress'} ${statuses}`;
      },
      settle: () => rig.checkAlive(),
      close: () => rig.close(),
    };
  },
};

function spoil(
  carried: ReturnType<typeof resultOf>['carried'],
  memory: Uint8Array,
  input: Uint8Array,
): ReturnType<typeof resultOf>['carried'] {
  for (let at = EDITS_AT; at + 3 <= input.length; at += 3) {
    const [low = 0, high = 0, value = 0] = input.subarray(at, at + 3);
    const offset = high < 0x80 ? 64 + low + 256 * (high & 3) : low + 256 * (2 * (high & 0x7f));
    memory[offset] = value;
  }
  const words = Buffer.alloc(20);
  words.set(input.subarray(WORDS_AT, EDITS_AT));
  const changed = (value: number, word: number): number => (value ^ words.readUInt32LE(word * 4)) >>> 0;
  const { ctx0, ctx1, ctx2, isize, checksum } = carried;
  return {
    ctx0: changed(ctx0, 0),
    ctx1: changed(ctx1, 1),
    ctx2: changed(ctx2, 2),
    isize: changed(isize, 3),
    checksum: changed(checksum, 4),
  };
}
