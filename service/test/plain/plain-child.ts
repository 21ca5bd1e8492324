/** The process that attaches with the plain driver. argv: socket path, scenario. Prints what it saw as JSON. */
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { PlainQueue, PlainSocket, text } from './plain-driver.ts';
import {
  type Carried,
  FORMATS,
  type Format,
  type Request,
  type Result,
  resultOf,
  sqeOf,
} from './plain-sqe.ts';

const COMPRESS = 0;
const DECOMPRESS = 1;
/** What software writes before the engine's output, and skips before its input. */
const HEADERS: Record<Format, Buffer> = {
  deflate: Buffer.alloc(0),
  zlib: Buffer.from([0x78, 0x9c]),
  gzip: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
};
const DECODERS = { deflate: inflateRawSync, zlib: inflateSync, gzip: gunzipSync };
const ENCODERS = { deflate: deflateRawSync, zlib: deflateSync, gzip: gzipSync };
/** V2 has no raw DEFLATE. */
const V2_NAMES = ['zlib', 'gzip'] as const;
const NAMES = Object.keys(FORMATS) as Format[];

/** Memory that stays where it is: V8 moves typed arrays of up to 64 bytes. */
const memory = (bytes: number): Buffer => Buffer.alloc(Math.max(4096, bytes)).subarray(0, bytes);
const inMemory = (bytes: Uint8Array): Buffer => {
  const copy = memory(bytes.length);
  copy.set(bytes);
  return copy;
};

function sample(bytes: number): Buffer {
  let seed = 42;
  let line = '';
  while (line.length < bytes) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    line += `{"id":${seed % 1000},"event":"${['stall', 'doorbell', 'page'][seed % 3]}"}\n`;
  }
  return inMemory(Buffer.from(line.slice(0, bytes)));
}

function noise(bytes: number): Buffer {
  const made = memory(bytes);
  let state = 0x9e3779b9;
  for (let i = 0; i < bytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    made[i] = state;
  }
  return made;
}

/** openQueue answers 2 for hardware whose SQEs are of type 0. */
async function run(queue: PlainQueue, asked: Request): Promise<Result> {
  const request = { sqeType: queue.hardware === 2 ? 0 : 3, ...asked };
  const { sqe, keep } = sqeOf(request);
  const result = resultOf(await queue.run(sqe), request.sqeType);
  return keep ? result : result;
}

interface Piecewise {
  format: Format;
  source: Buffer;
  outBytes: number;
  sglBytes?: number;
  inBytes: number;
}

/** A stream of stateful jobs, input and output in pieces, until the engine says that it ended. */
async function stream(queues: PlainQueue[], { format, source, outBytes, sglBytes, inBytes }: Piecewise) {
  const context = memory(65536);
  const parts: Buffer[] = [];
  let carried: Carried | undefined;
  let at = 0;
  for (let job = 0; job < 10_000; job++) {
    const queue = queues[job % queues.length];
    if (!queue) throw new Error('no queue');
    const piece = source.subarray(at, at + inBytes);
    const isFinal = at + piece.length === source.length;
    const destination = memory(outBytes);
    const result = await run(queue, {
      type: FORMATS[format],
      source: inMemory(piece),
      destination,
      isFinal,
      context,
      ...(carried ? { carried } : {}),
      ...(sglBytes === undefined ? {} : { sglBytes }),
    });
    if (![0, 0x0d, 0x0e, 0x13].includes(result.status))
      return { status: result.status, bytes: Buffer.concat(parts) };
    parts.push(destination.subarray(0, result.produced));
    at += result.consumed;
    carried = result.carried;
    const isDone = result.status === 0x13 || (isFinal && result.status !== 0x0e && at === source.length);
    if (isDone) return { status: result.status, bytes: Buffer.concat(parts) };
  }
  throw new Error('the stream does not end');
}

type Scenario = (socket: PlainSocket) => Promise<unknown>;
const SCENARIOS: Record<string, Scenario> = {
  /** Every job type once: format × direction × flat or scattered × stateless or stateful. */
  async jobs(socket) {
    const compress = await PlainQueue.open(socket, COMPRESS);
    const decompress = await PlainQueue.open(socket, DECOMPRESS);
    const data = sample(100_000);
    const wrong: string[] = [];
    let jobs = 0;
    const check = (name: string, isRight: boolean) => {
      jobs++;
      if (!isRight) wrong.push(name);
    };
    const decodes = (format: Format, body: Buffer): boolean => {
      try {
        return DECODERS[format](Buffer.concat([HEADERS[format], body])).equals(data);
      } catch {
        return false;
      }
    };
    for (const format of compress.hardware === 2 ? V2_NAMES : NAMES)
      for (const sglBytes of [undefined, 1000, 40_000]) {
        const list = sglBytes === undefined ? {} : { sglBytes };
        const kind = `${format} ${sglBytes === undefined ? 'flat' : `in pieces of ${sglBytes}`}`;
        const destination = memory(data.length + 1000);
        const made = await run(compress, { type: FORMATS[format], source: data, destination, ...list });
        check(
          `compress ${kind}: status ${made.status}`,
          made.status === 0 &&
            made.consumed === data.length &&
            decodes(format, destination.subarray(0, made.produced)),
        );
        const packed = ENCODERS[format](data).subarray(HEADERS[format].length);
        const back = memory(data.length);
        const got = await run(decompress, {
          type: FORMATS[format],
          source: inMemory(packed),
          destination: back,
          ...list,
        });
        check(
          `decompress ${kind}: status ${got.status}`,
          [0, 0x13].includes(got.status) && got.produced === data.length && back.equals(data),
        );
        const piecewise = { format, outBytes: 30_000, inBytes: 17_000, ...list };
        const streamed = await stream([compress], { ...piecewise, source: data });
        check(`compress a stream ${kind}: status ${streamed.status}`, decodes(format, streamed.bytes));
        const inflated = await stream([decompress], { ...piecewise, inBytes: 5000, source: packed });
        check(`decompress a stream ${kind}: status ${inflated.status}`, inflated.bytes.equals(data));
      }
    return { jobs, wrong };
  },

  /** A stream goes on in another queue after every job. */
  async moves(socket) {
    const data = sample(200_000);
    const wrong: string[] = [];
    for (const format of NAMES) {
      const both = [await PlainQueue.open(socket, COMPRESS), await PlainQueue.open(socket, COMPRESS)];
      const made = await stream(both, { format, source: data, outBytes: 20_000, inBytes: 9000 });
      if (!DECODERS[format](Buffer.concat([HEADERS[format], made.bytes])).equals(data))
        wrong.push(`compress ${format}`);
      const back = [await PlainQueue.open(socket, DECOMPRESS), await PlainQueue.open(socket, DECOMPRESS)];
      const packed = ENCODERS[format](data).subarray(HEADERS[format].length);
      const got = await stream(back, { format, source: packed, outBytes: 7000, inBytes: 3000 });
      if (!got.bytes.equals(data)) wrong.push(`decompress ${format}: ${got.status}`);
    }
    return { wrong };
  },

  /** Many jobs in flight, over several laps of both rings. */
  async wraps(socket) {
    const queue = await PlainQueue.open(socket, COMPRESS);
    const jobs = 5000;
    const lanes = 100;
    const data = sample(5000);
    const outputs = Array.from({ length: lanes }, () => memory(2000));
    let [submitted, completed, right] = [0, 0, 0];
    while (completed < jobs) {
      while (submitted < jobs && queue.inFlight < lanes) {
        const source = data.subarray(submitted % 4000, (submitted % 4000) + 500);
        const destination = outputs[submitted % lanes] ?? memory(0);
        queue.submit(sqeOf({ type: 1, source, destination, tag: submitted }).sqe);
        submitted++;
      }
      const done = queue.take();
      if (!done) {
        await new Promise((next) => setImmediate(next));
        continue;
      }
      const { tag, produced, status } = resultOf(done.sqe);
      const expected = data.subarray(completed % 4000, (completed % 4000) + 500);
      const made = outputs[tag % lanes]?.subarray(0, produced) ?? memory(0);
      if (status === 0 && tag === completed && inflateRawSync(made).equals(expected)) right++;
      completed++;
    }
    return { right, wraps: queue.wraps };
  },

  /** Each status code, by a job that deserves it. */
  async statuses(socket) {
    const compress = await PlainQueue.open(socket, COMPRESS);
    const decompress = await PlainQueue.open(socket, DECOMPRESS);
    const data = sample(50_000);
    const destination = memory(100_000);
    const good = { type: 3, source: data, destination };
    const packed = gzipSync(data).subarray(10);
    const badChecksum = inMemory(packed);
    badChecksum.writeUInt32LE(1, badChecksum.length - 8);
    const badCode = inMemory(Buffer.from([0x07, 0x55, 0xaa, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    const incompressible = noise(4096);
    const status = async (queue: PlainQueue, request: Request) => (await run(queue, request)).status;
    const small = memory(400);
    return {
      done: await status(compress, good),
      grew: await status(compress, { ...good, source: incompressible }),
      full: await status(compress, { ...good, destination: small }),
      fullDecompress: await status(decompress, { type: 3, source: inMemory(packed), destination: small }),
      checksum: await status(decompress, { type: 3, source: badChecksum, destination }),
      ended: await status(decompress, {
        type: 3,
        source: inMemory(packed),
        destination,
        context: memory(65536),
      }),
      corrupt: await status(decompress, { type: 1, source: badCode, destination }),
      unmappedSource: await status(compress, { ...good, patch: { 18: 0x1000, 19: 0 } }),
      unmappedDestination: await status(compress, { ...good, patch: { 20: 0x1000, 21: 0 } }),
      otherSqeType: await status(compress, { ...good, patch: { 7: 0xf << 28 } }),
      unknownRequest: await status(compress, { ...good, type: 0x7f }),
      lz4: await status(compress, { ...good, type: 0x04 }),
      unknownBuffer: await status(compress, { ...good, patch: { 9: 3 | (7 << 8) | (4 << 12) } }),
      unknownWindow: await status(compress, { ...good, window: 9 }),
      tooLong: await status(compress, { ...good, patch: { 4: 8 * 1024 * 1024 + 1 } }),
      afterwards: await status(compress, good),
    };
  },

  /** One job, whatever happens to it, and a good one behind it. */
  async pair(socket) {
    const queue = await PlainQueue.open(socket, COMPRESS);
    const request = { type: 3, source: sample(20_000), destination: memory(30_000) };
    const first = await run(queue, request);
    return { first: first.status, second: (await run(queue, request)).status };
  },

  async rawDeflate(socket) {
    const queue = await PlainQueue.open(socket, COMPRESS);
    return (await run(queue, { type: 1, source: sample(1000), destination: memory(2000) })).status;
  },

  /** Sleeps until the interrupt that it armed, then is reset from outside. */
  async notices(socket) {
    const queue = await PlainQueue.open(socket, COMPRESS);
    queue.arm();
    queue.submit(sqeOf({ type: 1, source: sample(1000), destination: memory(2000) }).sqe);
    const first = await socket.notice();
    const done = queue.take();
    process.stdout.write(`${JSON.stringify({ queue: queue.number })}\n`);
    const second = await socket.notice();
    return {
      interrupt: first.opcode === 65 && first.queue === queue.number && done !== undefined,
      lost: second.opcode === 66 && second.queue === queue.number,
      stopWords: queue.stopWords,
    };
  },
};

const [path = '', name = ''] = process.argv.slice(2);
const scenario = SCENARIOS[name];
if (!scenario) throw new Error(`no scenario ${name}`);
const socket = await PlainSocket.open(path);
await socket.request(2, Buffer.from([0]), text('plain driver'), text(''));
process.stdout.write(`${JSON.stringify(await scenario(socket))}\n`);
socket.close();
