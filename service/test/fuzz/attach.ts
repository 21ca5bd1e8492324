/**
 * Raw bytes at the attach socket: the service lives, every answer is a whole frame that names its request, and when
 * the connections are gone nothing is left of them. Input: bytes of a write (byte 0, 0 = all at once), the frames.
 */
import { connect } from 'node:net';
import { footprint, openAttachHost, until } from '../support/attach-host.ts';
import { expect, type FuzzTarget, shown } from './target.ts';

const HEAD_BYTES = 12;
const MAX_PAYLOAD_BYTES = 4096;
const MAX_ERRNO = 133;
/** Requests of docs/attach.md, its two notices, and nothing else. */
const [INTERRUPT, QUEUE_LOST] = [65, 66] as const;

const u16 = (value: number): number[] => [value & 255, value >> 8];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
const u64 = (value: number): number[] => [...u32(value), ...u32(Math.floor(value / 2 ** 32))];
const text = (value: string): number[] => [...u16(value.length), ...Buffer.from(value)];
let sequence = 0;
const frame = (opcode: number, ...payload: number[]): Buffer =>
  Buffer.from([...u32(payload.length), ...u16(opcode), 0, 0, ...u32(++sequence), ...payload]);

const HELLO = frame(1, ...u32(1));
const attachAs = (mode: number): Buffer => frame(2, mode, ...text('fuzz'), ...text(''));
const seed = (...frames: Buffer[]): Uint8Array => Buffer.concat([Buffer.of(0), ...frames]);

function check(bytes: Buffer): string {
  let errnos = '';
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    expect(rest.length >= HEAD_BYTES, () => `a cut frame: ${shown(rest)}`);
    const [length, opcode, errno, number] = [
      rest.readUInt32LE(0),
      rest.readUInt16LE(4),
      rest.readUInt16LE(6),
      rest.readUInt32LE(8),
    ];
    expect(
      length <= MAX_PAYLOAD_BYTES && rest.length >= HEAD_BYTES + length,
      () => `a frame of ${length} bytes`,
    );
    expect(errno <= MAX_ERRNO, () => `errno ${errno}`);
    const isNotice = number === 0 && (opcode === INTERRUPT || opcode === QUEUE_LOST);
    if (!isNotice && errno === 0) expect(opcode >= 1 && opcode <= 8, () => `opcode ${opcode} succeeded`);
    if (errno !== 0) {
      const reason = rest.toString('utf8', HEAD_BYTES + 2, HEAD_BYTES + 2 + rest.readUInt16LE(HEAD_BYTES));
      expect(reason.length > 5, () => `errno ${errno} without a reason`);
      expect(
        !/undefined|cannot read|is not a function/i.test(reason),
        () => `a defect as a refusal: ${reason}`,
      );
    }
    errnos = errno === 0 ? errnos : ` errno ${errno}`;
    at += HEAD_BYTES + length;
  }
  return bytes.length === 0 ? 'no answer' : `answered${errnos}`;
}

export const attach: FuzzTarget = {
  name: 'attach',
  width: 16,
  maxBytes: 16_384,
  dictionary: [
    ...[
      HELLO,
      attachAs(0),
      attachAs(1),
      attachAs(2),
      frame(3, 0, 0),
      frame(3, 1, 15),
      frame(4, 0, 0),
      frame(5, 0, 0),
    ],
    ...[
      frame(8, ...u64(4096)),
      frame(8, ...u64(2 ** 40)),
      frame(8, ...u64(2 ** 53)),
      frame(64, 0, 0),
      frame(99),
    ],
    ...[
      frame(7, ...u64(0), ...u64(2 ** 52)),
      Buffer.from(u32(MAX_PAYLOAD_BYTES)),
      Buffer.from(u32(MAX_PAYLOAD_BYTES + 1)),
    ],
    ...[Buffer.alloc(8, 255), Buffer.from(text('x'.repeat(300))), Buffer.from([0xff, 0xff])],
  ],
  seeds: () => [
    seed(HELLO, attachAs(0), frame(3, 0, 0), frame(4, 0, 0), frame(64, 0, 0), frame(5, 0, 0)),
    seed(HELLO, attachAs(1), frame(8, ...u64(8192)), frame(3, 1, 3), frame(4, 1, 0)),
    seed(HELLO, attachAs(1), frame(6, ...u64(0x7000_0000), ...u64(0x10_0000), ...u64(8192), ...u32(3))),
    seed(HELLO, attachAs(1), frame(7, ...u64(0x10_0000), ...u64(8192))),
    seed(HELLO, attachAs(2)),
  ],
  async open() {
    const attached = await openAttachHost({ queues: 2 });
    for (let i = 0; i < 4; i++) attached.host.kernel.createMdev({ type: 'hisi_zip-zip' }, true);
    const baseline = JSON.stringify(footprint(attached.host));
    return {
      async run(input) {
        return check(await exchange(attached.path, input.subarray(1), input[0] ?? 0));
      },
      async settle() {
        let now = '';
        const isBack = (): boolean => {
          now = JSON.stringify(footprint(attached.host));
          return now === baseline;
        };
        await until(isBack, 'the footprint is the baseline', 5000).catch(() => {
          expect(false, () => `left behind: ${now}, the baseline is ${baseline}`);
        });
      },
      close: () => attached.close(),
    };
  },
};

/** Sends bytes in pieces and hangs up; what the service answered before it did the same. */
function exchange(path: string, bytes: Uint8Array, chunk: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const parts: Buffer[] = [];
    socket.on('error', () => {}); // cut off: `close` follows
    socket.on('close', () => resolve(Buffer.concat(parts)));
    socket.on('connect', () => {
      const step = chunk || bytes.length || 1;
      for (let at = 0; at < bytes.length; at += step) socket.write(bytes.subarray(at, at + step));
      socket.end();
    });
    socket.on('data', (part) => parts.push(part));
  });
}
