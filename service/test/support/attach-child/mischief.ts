/** Scenarios of processes that ask for what they may not have, or write what means nothing. */

import { fstatSync, ftruncateSync, openSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { Operation } from '../../../../shared/src/telemetry.ts';
import { iova } from '../../../../shared/src/units.ts';
import { AttachConnection, type AttachedQueue } from '../../../src/attach/client.ts';
import {
  encodeFrame,
  FrameReader,
  OPCODE,
  PayloadReader,
  PayloadWriter,
  REGION_DUS_OFFSET,
} from '../../../src/attach/protocol.ts';
import { QueuePairDriver } from '../../../src/driver/qm/queue-pair.ts';
import { setAddress, setField } from '../../../src/hw-abi/field.ts';
import { REQUEST_TYPE, SQE, SQE_WORDS, STATUS } from '../../../src/hw-abi/zip-sqe.ts';
import { allocateAligned, connect } from '../../../src/library/index.ts';
import { addressOf } from '../../../src/platform/libc.ts';
import { memoryAt } from '../attach-memory.ts';
import {
  attachOptions,
  compressOnce,
  errorOf,
  type Gate,
  isRight,
  randomOf,
  rawQueue,
  textOf,
  type Where,
  waitFor,
} from './tools.ts';

export const MISCHIEF = {
  /** Asks for what is refused. @returns the error of each */
  async refusals(options: Where & { otherQueue: number }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const open = (operation: string, priority: number) =>
      errorOf(() => wd.openQueue({ operation: operation as Operation, priority }));
    await gate();
    const raw = await AttachConnection.open({ path: options.path, mode: 'sva', name: 'raw' });
    const request = (opcode: number, body: PayloadWriter) =>
      errorOf(() =>
        (raw as unknown as { request(opcode: number, body: PayloadWriter): Promise<unknown> }).request(
          opcode,
          body,
        ),
      );
    return {
      priority16: await open('compress', 16),
      priority255: await open('compress', 255),
      operation2: await request(OPCODE.openQueue, new PayloadWriter().u8(2).u8(0)),
      modeUnknown: await errorOf(
        () =>
          new Promise((_, reject) => {
            const socket = connectSocket(options.path);
            const reader = new FrameReader();
            socket.write(encodeFrame(OPCODE.hello, 1, new PayloadWriter().u32(1).finish()));
            socket.write(
              encodeFrame(OPCODE.attach, 2, new PayloadWriter().u8(9).text('x').text('').finish()),
            );
            socket.on('data', (chunk) => {
              for (const frame of reader.push(chunk))
                if (frame.sequence === 2)
                  reject(
                    new WarpDriveError('WD_E_EINVAL', new PayloadReader(frame.payload).text(), {
                      errno: frame.errno,
                    }),
                  );
            });
          }),
      ),
      noiommu: await errorOf(() => connect({ path: options.path, mode: 'noiommu' })),
      noiommuWrongToken: await errorOf(() => connect({ path: options.path, mode: 'noiommu', token: 'x' })),
      startOther: await request(OPCODE.startQueue, new PayloadWriter().u16(options.otherQueue)),
      closeOther: await request(OPCODE.closeQueue, new PayloadWriter().u16(options.otherQueue)),
      startUnknown: await request(OPCODE.startQueue, new PayloadWriter().u16(1023)),
      mapInSva: await request(OPCODE.mapDma, new PayloadWriter().u64(4096).u64(4096).u64(4096).u32(3)),
      unknownOpcode: await request(40, new PayloadWriter()),
      shortPayload: await request(OPCODE.openQueue, new PayloadWriter().u8(0)),
      attachTwice: await request(OPCODE.attach, new PayloadWriter().u8(0).text('x').text('')),
      nobodyListens: await errorOf(() => connect({ path: `${options.path}.none` })),
    };
  },

  /** Asks mode vfio for mappings that are refused. */
  async mapRefusals(options: Where, gate: Gate) {
    const memory = allocateAligned(4 * 4096);
    const at = addressOf(memory);
    const { connection } = await rawQueue({ ...options, mode: 'vfio' });
    await gate();
    const map = (virtual: number, to: number, bytes: number, flags = 3) =>
      errorOf(() => connection.mapDma(virtual, to, bytes, flags));
    return {
      oddAddress: await map(at + 1, 0x1000, 4096),
      oddIova: await map(at, 0x1001, 4096),
      oddBytes: await map(at, 0x1000, 100),
      noBytes: await map(at, 0x1000, 0),
      noRight: await map(at, 0x1000, 4096, 0),
      good: await map(at, 0x1000, 8192),
      overlap: await map(at, 0x2000, 4096),
      beyond: await map(at, 2 ** 52, 4096),
      cut: await errorOf(() => connection.unmapDma(0x1000, 4096)),
      notMapped: await map(4096, 0x10000, 4096),
    };
  },

  /** The whole conversation of one queue as bytes, and what the device wrote into the shared region. */
  async transcript(options: Where, gate: Gate) {
    const socket = connectSocket(options.path);
    const reader = new FrameReader();
    const answers: { opcode: number; errno: number; payload: string }[] = [];
    let onAnswer: () => void = () => {};
    socket.on('data', (chunk) => {
      for (const frame of reader.push(chunk)) {
        answers.push({ opcode: frame.opcode, errno: frame.errno, payload: frame.payload.toString('hex') });
        onAnswer();
      }
    });
    await gate();
    const ask = async (opcode: number, body: PayloadWriter): Promise<Buffer> => {
      const answered = new Promise<void>((resolve) => (onAnswer = resolve));
      socket.write(encodeFrame(opcode, answers.length + 1, body.finish()));
      await answered;
      return Buffer.from(answers.at(-1)?.payload ?? '', 'hex');
    };
    await ask(OPCODE.hello, new PayloadWriter().u32(1));
    await ask(OPCODE.attach, new PayloadWriter().u8(0).text('transcript').text(''));
    const opened = await ask(OPCODE.openQueue, new PayloadWriter().u8(0).u8(0));
    await ask(OPCODE.closeQueue, new PayloadWriter().u16(opened.readUInt16LE(0)));
    // the same by the library, to look at its rings after a job
    const { handle } = await rawQueue(options);
    const sqe = await oneJobBySqe(handle);
    return { answers, sqe };
  },

  /** Writes every word of an SQE with values that no driver writes, one job each. */
  async malformed(options: Where & { base: number; seed: number; rounds: number }, gate: Gate) {
    const memory = memoryAt(options.base, 64 * 4096).fill(0x5a);
    const connection = await AttachConnection.open({ path: options.path, mode: 'sva', name: 'malformed' });
    const handle = await connection.openQueue({ operation: 'compress', priority: 0 });
    const qp = new QueuePairDriver(handle.region, handle.qpId, 0);
    const random = randomOf(options.seed);
    const known = new Set<number>(Object.values(STATUS));
    const statuses: Record<string, number> = {};
    const unnamed: string[] = [];
    let jobs = 0;
    const submit = (change: readonly (readonly [number, number])[]): void => {
      const base = qp.reserve();
      if (base === undefined) throw new Error('the ring is full');
      writeGoodSqe(qp.sq, base, addressOf(memory));
      for (const [word, value] of change) qp.sq[base + word] = value;
      qp.submit();
      waitFor(() => qp.poll(() => {}) > 0);
      const status = (qp.sq[base + 3] ?? 0) & 0xff;
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (!known.has(status)) unnamed.push(`${JSON.stringify(change)} → ${status}`);
      jobs++;
    };
    await gate();
    for (let word = 0; word < SQE_WORDS; word++)
      for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, random(), random()])
        submit([[word, value]]);
    for (let round = 0; round < options.rounds; round++)
      submit(Array.from({ length: 1 + (random() % 6) }, () => [random() % SQE_WORDS, random()] as const));
    submit([]);
    return { jobs, statuses, unnamed, lastStatus: (qp.sq[((jobs - 1) % 1024) * SQE_WORDS + 3] ?? 0) & 0xff };
  },

  /** Keeps a pattern at the address where another process misbehaves, and works beside it. */
  async canary(options: Where & { base: number; seed: number }, gate: Gate) {
    const memory = memoryAt(options.base, 64 * 4096).fill(0xc3);
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    const source = Buffer.from(textOf(options.seed, 2000));
    let isOver = false;
    void gate().then(() => {
      isOver = true;
    });
    let [right, wrong] = [0, 0];
    while (!isOver) {
      const destination = Buffer.alloc(4000);
      if (isRight(compressOnce(queue, source, destination), destination, source)) right++;
      else wrong++;
      await turn();
    }
    return { changed: memory.filter((byte) => byte !== 0xc3).length, right, wrong };
  },

  /** Changes the size of a queue's memory and of DMA memory, which the service has mapped. @returns what became of it */
  async truncate(options: Where, _gate: Gate) {
    const raw = (await AttachConnection.open({ ...options, mode: 'vfio', name: 'truncates' })) as unknown as {
      request(opcode: number, body: PayloadWriter): Promise<PayloadReader>;
    };
    const opened = await raw.request(OPCODE.openQueue, new PayloadWriter().u8(0).u8(0));
    const number = opened.u16();
    opened.u16();
    const regionBytes = REGION_DUS_OFFSET + (opened.u32() && opened.u32());
    const region = openSync(opened.text(), 'r+');
    const allocated = await raw.request(OPCODE.allocateDma, new PayloadWriter().u64(65536));
    allocated.u64();
    const dmaBytes = allocated.u64();
    const dma = openSync(allocated.text(), 'r+');
    await raw.request(OPCODE.startQueue, new PayloadWriter().u16(number));
    const outcomes = [0, 4096, 2 * regionBytes].flatMap((bytes) =>
      [region, dma].map((fd) => codeOf(() => ftruncateSync(fd, bytes))),
    );
    return { outcomes, bytes: [fstatSync(region).size - regionBytes, fstatSync(dma).size - dmaBytes] };
  },

  /** Rings doorbells with every kind of nonsense. */
  async badDoorbells(options: Where & { seed: number }, gate: Gate) {
    const { handle } = await rawQueue(options);
    const random = randomOf(options.seed);
    await gate();
    for (let i = 0; i < 500; i++) {
      handle.region.mmio.write64(0x1000, random(), random());
      if (i % 20 === 0) await turn();
    }
    return {};
  },
};

function codeOf(call: () => void): string {
  try {
    call();
    return 'done';
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'));
  }
}

function writeGoodSqe(sq: Uint32Array, base: number, at: number): void {
  sq.fill(0, base, base + SQE_WORDS);
  setField(sq, base, SQE.sqeType, 3);
  setField(sq, base, SQE.requestType, REQUEST_TYPE.deflate);
  setField(sq, base, SQE.window, 4);
  setField(sq, base, SQE.flush, 1);
  setField(sq, base, SQE.inputDataLength, 1000);
  setAddress(sq, base, SQE.source, iova(at));
  setAddress(sq, base, SQE.destination, iova(at + 16 * 4096));
  setField(sq, base, SQE.destAvailOut, 4096);
  setField(sq, base, SQE.dw26, 0x1234_5678);
}

/** One good job, written word by word. @returns the SQE before and after */
async function oneJobBySqe(handle: AttachedQueue): Promise<{ before: number[]; after: number[] }> {
  const qp = new QueuePairDriver(handle.region, handle.qpId, 0);
  const memory = allocateAligned(32 * 4096).fill(1);
  const base = qp.reserve() ?? 0;
  writeGoodSqe(qp.sq, base, addressOf(memory));
  const before = [...qp.sq.subarray(base, base + SQE_WORDS)];
  qp.submit();
  await turn(); // the kick goes out
  waitFor(() => qp.poll(() => {}) > 0);
  return { before, after: [...qp.sq.subarray(base, base + SQE_WORDS)] };
}
