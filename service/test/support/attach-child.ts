/** A process of its own for tests: attaches to a service, plays one scenario, tells what it saw. */
import { readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { type ProblemCode, type ProblemDetails, WarpDriveError } from '../../../shared/src/problem.ts';
import type { Operation } from '../../../shared/src/telemetry.ts';
import { iova } from '../../../shared/src/units.ts';
import { AttachConnection, type AttachedQueue } from '../../src/attach/client.ts';
import {
  type AttachMode,
  encodeFrame,
  FrameReader,
  OPCODE,
  PayloadReader,
  PayloadWriter,
} from '../../src/attach/protocol.ts';
import { QueuePairDriver } from '../../src/driver/qm/queue-pair.ts';
import { type ZipCompletion, ZipQueue, type ZipRequest } from '../../src/driver/zip/zip-queue.ts';
import { getAddress, setAddress, setField } from '../../src/hw-abi/field.ts';
import { REQUEST_TYPE, SQE, SQE_WORDS, STATUS } from '../../src/hw-abi/zip-sqe.ts';
import { allocateAligned, connect, type Queue } from '../../src/library/index.ts';
import { addressOf } from '../../src/platform/libc.ts';
import { absentAddress, freshMemory, memoryAt } from './attach-memory.ts';

interface Where {
  path: string;
  mode?: AttachMode;
  token?: string;
  name?: string;
}
/** Tells the test that this process is set up, and waits until the test says go. */
type Gate = () => Promise<void>;

const JOB_DEADLINE_MS = 20_000;
const NAP = new Int32Array(new SharedArrayBuffer(4));

/** A generator of numbers that the seed decides (xorshift32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** Text that differs for each seed and compresses as logs do. */
function textOf(seed: number, bytes: number): string {
  const next = randomOf(seed * 2654435761);
  let text = '';
  while (text.length < bytes) text += `{"seed":${seed},"id":${next()},"path":"/v1/items/${next() % 97}"}\n`;
  return text.slice(0, bytes);
}

const attachOptions = ({ path, mode, token, name }: Where) => ({
  path,
  ...(mode ? { mode } : {}),
  ...(token ? { token } : {}),
  ...(name ? { name } : {}),
});

/** A queue driven with addresses as numbers, as a C program would drive it. */
async function rawQueue(
  { path, mode = 'sva', token, name = 'raw' }: Where,
  operation: Operation = 'compress',
) {
  const connection = await AttachConnection.open({ path, mode, name, ...(token ? { token } : {}) });
  const handle = await connection.openQueue({ operation, priority: 0 });
  const zip = new ZipQueue(handle);
  const run = (request: Partial<ZipRequest>): ZipCompletion => {
    let completion: ZipCompletion | undefined;
    zip.trySubmit(
      {
        format: 'deflate',
        level: 1,
        source: iova(0),
        sourceBytes: 0,
        destination: iova(0),
        destinationBytes: 0,
        isFinal: true,
        ...request,
      },
      (done) => {
        completion = done;
      },
    );
    waitFor(() => {
      zip.poll();
      return completion !== undefined;
    });
    return completion as unknown as ZipCompletion;
  };
  return { connection, handle, zip, run };
}

/** Polls, and leaves the core to others now and then. */
function waitFor(isDone: () => boolean): void {
  const end = performance.now() + JOB_DEADLINE_MS;
  for (let polls = 1; !isDone(); polls++) {
    if (polls % 2048 !== 0) continue;
    if (performance.now() > end) throw new Error('no completion within the deadline: the device hangs');
    Atomics.wait(NAP, 0, 0, 0.05);
  }
}

const compressOnce = (queue: Queue, source: Uint8Array, destination: Uint8Array): ZipCompletion =>
  queue.runSync({ format: 'deflate', source, destination });

const isRight = (done: ZipCompletion, destination: Uint8Array, source: Uint8Array): boolean =>
  done.outcome === 'ok' && inflateRawSync(destination.subarray(0, done.produced)).equals(source);

const errorOf = async (call: () => Promise<unknown>): Promise<string> => {
  try {
    await call();
    return 'no error';
  } catch (error) {
    if (error instanceof WarpDriveError)
      return `${error.code} ${String(error.details['errno'] ?? '')}`.trim();
    throw error;
  }
};

/** read(2) and write(2) of this process so far: messages on a socket are among them (proc(5), /proc/pid/io). */
function readsAndWrites(): number {
  const text = readFileSync('/proc/self/io', 'utf8');
  const of = (name: string) => Number(new RegExp(`${name}: (\\d+)`).exec(text)?.[1]);
  return of('syscr') + of('syscw');
}

const SCENARIOS = {
  /** Compresses ordinary Buffers. */
  async compress(
    options: Where & { jobs: number; bytes: number; seed: number; priority?: number },
    gate: Gate,
  ) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress', priority: options.priority ?? 0 });
    const memory = options.mode && options.mode !== 'sva' ? await wd.allocate(options.bytes * 3) : undefined;
    await gate();
    const frames = wd.frames;
    let right = 0;
    for (let i = 0; i < options.jobs; i++) {
      const text = Buffer.from(textOf(options.seed + i, options.bytes));
      const source = memory ? memory.bytes.subarray(0, text.length) : text;
      if (memory) source.set(text);
      const destination = memory ? memory.bytes.subarray(options.bytes) : Buffer.alloc(options.bytes * 2);
      const done = compressOnce(queue, source, destination);
      if (isRight(done, destination, text)) right++;
    }
    return { pid: process.pid, qpId: queue.qpId, right, frames: wd.frames - frames };
  },

  /** One gzip member by the package's own name. */
  async gzipByPackageName(options: Where, gate: Gate) {
    const name = 'warpdrive';
    const library = (await import(name)) as typeof import('../../src/library/index.ts');
    const wd = await library.connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    await gate();
    const frames = wd.frames;
    const source = Buffer.from('hello '.repeat(10_000));
    const destination = Buffer.alloc(64 * 1024);
    const done = await queue.run({ format: 'gzip', source, destination });
    const member = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
      destination.subarray(0, done.produced),
    ]);
    // the first SQE of the queue's own ring: which addresses the engine was given
    const { dus } = (queue as unknown as { handle: AttachedQueue }).handle.region;
    const sqe = new Uint32Array(dus.buffer, dus.byteOffset, SQE_WORDS);
    const isUncopied =
      getAddress(sqe, 0, SQE.source) === addressOf(source) &&
      getAddress(sqe, 0, SQE.destination) === addressOf(destination);
    return {
      outcome: done.outcome,
      isRight: gunzipSync(member).equals(source),
      isUncopied,
      frames: wd.frames - frames,
    };
  },

  /**
   * Polls in stretches of 100 requests until one passed without any message and any read or write, for at most
   * `jobs` requests. A service that is not scheduled for 2 ms sleeps, and a kick is a message.
   */
  async poll(options: Where & { jobs: number; stopsEarly: boolean }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    const source = Buffer.from(textOf(1, 256));
    const destination = Buffer.alloc(1024, 1);
    await gate();
    const look = options.stopsEarly ? readsAndWrites : () => 0; // under strace, looks would be counted too
    const looking = -(look() - look()); // the look itself reads
    const start = wd.frames;
    let done = 0;
    let best = { frames: Number.POSITIVE_INFINITY, calls: Number.POSITIVE_INFINITY };
    while (done < options.jobs && !(options.stopsEarly && best.frames === 0 && best.calls === 0)) {
      const [frames, calls] = [wd.frames, look()];
      for (let i = 0; i < 100; i++) if (compressOnce(queue, source, destination).outcome === 'ok') done++;
      const now = { calls: look() - calls - looking, frames: wd.frames - frames };
      if (now.frames + now.calls < best.frames + best.calls) best = now;
    }
    return { done, best, frames: wd.frames - start };
  },

  /** One job after the other, each slept for. */
  async wait(options: Where & { jobs: number }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    const source = Buffer.from(textOf(1, 256));
    const destination = Buffer.alloc(1024, 1);
    await gate();
    const frames = wd.frames;
    let done = 0;
    for (let i = 0; i < options.jobs; i++)
      if ((await queue.run({ format: 'deflate', source, destination })).outcome === 'ok') done++;
    return { done, frames: wd.frames - frames };
  },

  /** Works in memory at an address that other processes use too. */
  async sameAddress(options: Where & { address: number; jobs: number; seed: number }, gate: Gate) {
    const memory = memoryAt(options.address, 3 * 4096);
    const [source, destination] = [memory.subarray(0, 1024), memory.subarray(4096)];
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    await gate();
    const startedMs = Date.now();
    let right = 0;
    for (let i = 0; i < options.jobs; i++) {
      source.set(Buffer.from(textOf(options.seed + i, source.length)));
      const done = compressOnce(queue, source, destination);
      if (isRight(done, destination, source)) right++;
    }
    return { address: addressOf(memory), right, startedMs, endedMs: Date.now() };
  },

  /** Works at an IOVA that other processes map too. */
  async sameIova(options: Where & { iova: number; jobs: number; seed: number }, gate: Gate) {
    const memory = allocateAligned(3 * 4096);
    const { connection, run } = await rawQueue({ ...options, mode: 'vfio' });
    await connection.mapDma(addressOf(memory), options.iova, memory.length, 3);
    const [source, destination] = [memory.subarray(0, 1024), memory.subarray(4096)];
    await gate();
    const startedMs = Date.now();
    let right = 0;
    for (let i = 0; i < options.jobs; i++) {
      source.set(Buffer.from(textOf(options.seed + i, source.length)));
      const done = run({
        source: iova(options.iova),
        sourceBytes: source.length,
        destination: iova(options.iova + 4096),
        destinationBytes: destination.length,
      });
      if (isRight(done, destination, source)) right++;
    }
    return { address: addressOf(memory), right, startedMs, endedMs: Date.now() };
  },

  /** Maps an IOVA; after the gate it unmaps it if told so, and uses it in either case. */
  async privateMap(options: Where & { iova: number; unmaps: boolean; seed: number }, gate: Gate) {
    const memory = allocateAligned(3 * 4096);
    const { connection, run } = await rawQueue({ ...options, mode: 'vfio' });
    await connection.mapDma(addressOf(memory), options.iova, memory.length, 3);
    const [source, destination] = [memory.subarray(0, 1024), memory.subarray(4096)];
    source.set(Buffer.from(textOf(options.seed, source.length)));
    const job = () =>
      run({
        source: iova(options.iova),
        sourceBytes: source.length,
        destination: iova(options.iova + 4096),
        destinationBytes: destination.length,
      });
    const before = job().outcome;
    await gate();
    const unmapped = options.unmaps ? await connection.unmapDma(options.iova, memory.length) : 0;
    destination.fill(0);
    const done = job();
    return {
      before,
      after: done.outcome,
      unmapped,
      isRight: isRight(done, destination, source),
      isUntouched: destination.every((byte) => byte === 0),
    };
  },

  /** Compresses into memory that nobody touched before (or that was touched first). */
  async firstTouch(options: Where & { bytes: number; touches: boolean; jobs?: number }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    const source = Buffer.from(textOf(7, options.bytes));
    await gate();
    let [right, outcome] = [0, 'none'];
    for (let i = 0; i < (options.jobs ?? 1); i++) {
      const destination = freshMemory(options.bytes);
      if (options.touches) destination.fill(0xff);
      const done = compressOnce(queue, source, destination);
      outcome = done.outcome;
      if (isRight(done, destination, source)) right++;
    }
    // the queue goes on after a refusal
    const again = Buffer.alloc(options.bytes, 1);
    return { outcome, right, afterwards: isRight(compressOnce(queue, source, again), again, source) };
  },

  /** Lets the engine read where this process has nothing, then works on. */
  async strayAddress(options: Where, gate: Gate) {
    const { connection, run } = await rawQueue(options);
    const memory = allocateAligned(3 * 4096).fill(1);
    const base = options.mode === 'vfio' ? 0x1000_0000 : addressOf(memory);
    if (options.mode === 'vfio') await connection.mapDma(addressOf(memory), base, memory.length, 3);
    const stray = options.mode === 'vfio' ? 0x7000_0000 : absentAddress(1 << 20);
    await gate();
    const good = { sourceBytes: 100, destination: iova(base + 4096), destinationBytes: 4096 };
    const bad = run({ ...good, source: iova(stray) });
    const bounds = run({ ...good, source: iova(base), destination: iova(stray) });
    const after = run({ ...good, source: iova(base) });
    return {
      stray,
      statuses: [bad.status, bounds.status, after.status],
      outcomes: [bad.outcome, bounds.outcome, after.outcome],
    };
  },

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

  /** Keeps working through resets: retries what is retryable. Ends when it saw `resets` and 20 good jobs after. */
  async survive(options: Where & { resets: number; isSync: boolean }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress', priority: 2 });
    const source = Buffer.from(textOf(3, 2000));
    await gate();
    const codes: Record<string, number> = {};
    let [resets, right, wrong, since] = [0, 0, 0, 0];
    const end = performance.now() + JOB_DEADLINE_MS;
    let isDown = false;
    while ((resets < options.resets || since < 20) && performance.now() < end) {
      const destination = Buffer.alloc(4096);
      try {
        const job = { format: 'deflate', source, destination } as const;
        const done = options.isSync ? queue.runSync(job) : await queue.run(job);
        if (isRight(done, destination, source)) right++;
        else wrong++;
        isDown = false;
        since++;
        if (right === 20) process.send?.({ type: 'ready' } satisfies ChildMessage);
      } catch (error) {
        if (!(error instanceof WarpDriveError) || !error.retryable) throw error;
        codes[error.code] = (codes[error.code] ?? 0) + 1;
        if (!isDown) resets++;
        isDown = true;
        since = 0;
      }
      await turn();
    }
    return { resets, right, wrong, codes: Object.keys(codes), since };
  },

  /** Gets into a state and stays there until it is killed. */
  async linger(options: Where & { state: LingerState; queues?: number }, gate: Gate) {
    const wd = await connect(attachOptions(options));
    const queue = await wd.openQueue({ operation: 'compress' });
    for (let more = 1; more < (options.queues ?? 1); more++) await wd.openQueue({ operation: 'decompress' });
    if (options.state === 'mapped') {
      await wd.map(allocateAligned(16 * 4096));
      await wd.allocate(100_000);
    }
    if (options.state === 'stalled') {
      const source = Buffer.from(textOf(1, 4000));
      void queue.run({ format: 'deflate', source, destination: freshMemory(8192) }).catch(() => {});
    }
    if (options.state === 'jobs') void keepBusy(queue);
    process.send?.({ type: 'ready' } satisfies ChildMessage);
    await gate();
    return new Promise<never>(() => setInterval(() => {}, 1000));
  },

  /** Holds queues until all are taken. @returns how many it got, and the error of the next */
  async takeAll(options: Where, gate: Gate) {
    const wd = await connect(attachOptions(options));
    await gate();
    let taken = 0;
    for (;;) {
      const error = await errorOf(() => wd.openQueue({ operation: 'compress' }));
      if (error !== 'no error') return { taken, error };
      taken++;
    }
  },
};

export type LingerState = 'idle' | 'mapped' | 'jobs' | 'stalled';

async function keepBusy(queue: Queue): Promise<void> {
  const source = Buffer.from(textOf(1, 200_000));
  const lane = async (): Promise<void> => {
    const destination = Buffer.alloc(300_000, 1);
    for (;;) await queue.run({ format: 'deflate', source, destination });
  };
  await Promise.all(Array.from({ length: 8 }, lane)).catch(() => {});
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

type Scenarios = typeof SCENARIOS;
export type ScenarioName = keyof Scenarios;
export type ScenarioOptions<Name extends ScenarioName> = Parameters<Scenarios[Name]>[0];
export type ScenarioResult<Name extends ScenarioName> = Awaited<ReturnType<Scenarios[Name]>>;
export type ChildMessage =
  | { type: 'ready' }
  | { type: 'result'; value: unknown }
  | { type: 'error'; code: ProblemCode; message: string; details: ProblemDetails };

async function main(name: ScenarioName, options: never): Promise<void> {
  const going = new Promise<void>((resolve) => process.once('message', () => resolve()));
  const gate: Gate = () => {
    process.send?.({ type: 'ready' } satisfies ChildMessage);
    return going;
  };
  let message: ChildMessage;
  try {
    message = { type: 'result', value: await SCENARIOS[name](options, gate) };
  } catch (error) {
    const isNamed = error instanceof WarpDriveError;
    message = {
      type: 'error',
      code: isNamed ? error.code : 'WD_E_INTERNAL',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      details: isNamed ? error.details : {},
    };
  }
  process.send?.(message, () => process.exit());
}

void main(process.argv[2] as ScenarioName, JSON.parse(process.argv[3] ?? '{}') as never);
