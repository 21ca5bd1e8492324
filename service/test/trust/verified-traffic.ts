import { Agent, request as httpRequest } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import WebSocket from 'ws';
import { randomFrom } from '../support/corpus.ts';
import { type Expectation, payloadPool } from './payloads.ts';

/**
 * How a request ended. `right`: the bytes were decoded independently and are the right ones, or the refusal was the
 * one that the request deserves. `failed`: it visibly failed. `left`: this client went away on purpose.
 * `wrong` and `hung` must never happen.
 */
export const OUTCOMES = ['right', 'failed', 'left', 'wrong', 'hung'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface TrafficOptions {
  /** Asked for each request, because the service may have moved. */
  url: () => string;
  seed: number;
  /** Requests at once. */
  lanes: number;
  /** A request that lasts longer is hung. */
  deadlineMs?: number;
  /** Largest payload. */
  maxBytes?: number;
}

export interface Finding {
  request: string;
  outcome: 'wrong' | 'hung';
  detail: string;
  /** When it was noticed, ISO 8601. */
  at: string;
}

const DEADLINE_MS = 60_000;
const FORMATS = ['gzip', 'zlib', 'deflate'] as const;
type Format = (typeof FORMATS)[number];
const ENCODERS = {
  gzip: promisify(zlib.gzip),
  zlib: promisify(zlib.deflate),
  deflate: promisify(zlib.deflateRaw),
};
const DECODERS = {
  gzip: promisify(zlib.gunzip),
  zlib: promisify(zlib.inflate),
  deflate: promisify(zlib.inflateRaw),
};

interface Ending {
  outcome: Outcome;
  detail: string;
}
const ended = (outcome: Outcome, detail = ''): Ending => ({ outcome, detail });

interface HttpAnswer {
  /** 0: the connection broke before an answer. */
  status: number;
  isWhole: boolean;
  body: Buffer;
}

/**
 * Steady traffic of every kind that a client makes, each answer checked by node:zlib and compared byte by byte.
 * Requests go on until `stop`; a service that is away costs failures, not more.
 */
export class VerifiedTraffic {
  readonly counts: Record<Outcome, number> = { right: 0, failed: 0, left: 0, wrong: 0, hung: 0 };
  readonly failures = new Map<string, number>();
  readonly findings: Finding[] = [];
  bytesIn = 0;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly payloads: ReturnType<typeof payloadPool>;
  private lanes: Promise<void>[] = [];
  private isStopping = false;

  constructor(private readonly options: TrafficOptions) {
    this.payloads = payloadPool(options.seed, options.maxBytes ?? 2 * 1024 * 1024);
  }

  get requests(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  start(): void {
    this.lanes = Array.from({ length: this.options.lanes }, (_, lane) =>
      this.run(randomFrom(this.options.seed + lane)),
    );
  }

  /** Lets every request end. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.lanes);
    this.agent.destroy();
  }

  private async run(random: () => number): Promise<void> {
    const below = (limit: number): number => Math.floor(random() * limit);
    while (!this.isStopping) {
      const format = FORMATS[below(FORMATS.length)] ?? 'gzip';
      const payload = this.payloads.take(below);
      const kind = below(100);
      const name = `${format} of ${payload.name}`;
      if (kind < 45)
        await this.judge(`compress ${name}`, this.compress(format, payload, 1 + below(9), below));
      else if (kind < 75) await this.judge(`decompress ${name}`, this.decompress(format, payload, below));
      else if (kind < 83) await this.judge(`corrupt ${name}`, this.corrupt(format, payload, below));
      else if (kind < 90) await this.judge(`websocket ${name}`, this.webSocket(format, payload, below));
      else if (kind < 95) await this.judge(`left upload ${name}`, this.leave(payload, 'upload'));
      else await this.judge(`left download ${name}`, this.leave(payload, 'download'));
    }
  }

  private async judge(request: string, running: Promise<Ending>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<Ending>((resolve) => {
      const { deadlineMs = DEADLINE_MS } = this.options;
      timer = setTimeout(() => resolve(ended('hung', `no end within ${deadlineMs} ms`)), deadlineMs);
    });
    const { outcome, detail } = await Promise.race([running, deadline]);
    clearTimeout(timer);
    this.counts[outcome]++;
    if (outcome === 'wrong' || outcome === 'hung')
      this.findings.push({ request, outcome, detail, at: new Date().toISOString() });
    if (outcome !== 'failed') return;
    this.failures.set(detail, (this.failures.get(detail) ?? 0) + 1);
    // a service that is away is not hammered
    await new Promise((next) => setTimeout(next, detail.includes('ECONNREFUSED') ? 200 : 20));
  }

  private async compress(
    format: Format,
    payload: Expectation,
    level: number,
    below: (limit: number) => number,
  ): Promise<Ending> {
    const answer = await this.post(`/v1/compress?format=${format}&level=${level}`, payload.bytes, below);
    if (answer.status !== 200 || !answer.isWhole) return failure(answer);
    return this.compare(DECODERS[format](answer.body), payload.bytes);
  }

  private async decompress(
    format: Format,
    payload: Expectation,
    below: (limit: number) => number,
  ): Promise<Ending> {
    const packed = await ENCODERS[format](payload.bytes, { level: 1 + below(9) });
    const isTwice = format === 'gzip' && below(4) === 0;
    const body = isTwice ? Buffer.concat([packed, packed]) : packed;
    const answer = await this.post(`/v1/decompress?format=${format}`, body, below);
    if (answer.status !== 200 || !answer.isWhole) return failure(answer);
    const expected = isTwice ? Buffer.concat([payload.bytes, payload.bytes]) : payload.bytes;
    return this.compare(Promise.resolve(answer.body), expected);
  }

  /** One bit is changed: whole answers must be what node:zlib makes of it, everything else must fail. */
  private async corrupt(
    format: Format,
    payload: Expectation,
    below: (limit: number) => number,
  ): Promise<Ending> {
    const packed = await ENCODERS[format](payload.bytes);
    const at = below(packed.length);
    packed[at] = (packed[at] ?? 0) ^ (1 << below(8));
    const answer = await this.post(`/v1/decompress?format=${format}`, packed, below);
    const expected = await decoded(format, packed);
    if (answer.status === 200 && answer.isWhole)
      return expected
        ? this.compare(Promise.resolve(answer.body), expected)
        : this.unlessHarmless(payload, answer.body);
    if (expected) return failure(answer);
    return answer.status === 422 || (answer.status === 200 && !answer.isWhole)
      ? ended('right')
      : failure(answer);
  }

  /**
   * node:zlib refuses what the service took. The flipped bit may be one that no data depends on, such as in the length
   * of a distance code that is never used, where ISA-L is less strict: then the bytes are the payload's own.
   */
  private unlessHarmless(payload: Expectation, body: Buffer): Ending {
    return body.equals(payload.bytes)
      ? ended('right')
      : ended('wrong', 'corrupt input was answered as if it were whole');
  }

  private webSocket(format: Format, payload: Expectation, below: (limit: number) => number): Promise<Ending> {
    const url = `${this.options.url().replace('http', 'ws')}/v1/stream?op=compress&format=${format}&level=1`;
    return new Promise((resolve) => {
      const socket = new WebSocket(url, ['warpdrive.stream.v1'], { perMessageDeflate: false });
      const parts: Buffer[] = [];
      let isDone = false;
      socket.on('error', (error) => resolve(ended('failed', `websocket: ${codeOf(error)}`)));
      socket.on('open', () => {
        for (let at = 0; at < payload.bytes.length; at += 60_000) {
          socket.send(payload.bytes.subarray(at, at + 60_000));
          if (below(5) === 0) socket.send('{"type":"flush"}');
        }
        socket.send('{"type":"finish"}');
      });
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) parts.push(data);
        else if (String(data).includes('"done"')) isDone = true;
      });
      socket.on('close', (code) => {
        if (!isDone || code !== 1000) resolve(ended('failed', `websocket closed ${code}`));
        else resolve(this.compare(DECODERS[format](Buffer.concat(parts)), payload.bytes));
      });
    });
  }

  /** Goes away in the middle. */
  private leave(payload: Expectation, when: 'upload' | 'download'): Promise<Ending> {
    return new Promise((resolve) => {
      const request = httpRequest(`${this.options.url()}/v1/compress?format=gzip`, {
        method: 'POST',
        agent: false,
      });
      request.on('error', () => resolve(ended('left')));
      request.on('close', () => resolve(ended('left')));
      request.on('response', (response) => {
        response.on('error', () => {});
        response.once('data', () => request.destroy());
        response.once('end', () => request.destroy());
      });
      request.write(payload.bytes.subarray(0, Math.ceil(payload.bytes.length / 2)), () => {
        if (when === 'upload') request.destroy();
        else request.end(payload.bytes.subarray(Math.ceil(payload.bytes.length / 2)));
      });
    });
  }

  private async compare(made: Promise<Buffer>, expected: Buffer): Promise<Ending> {
    this.bytesIn += expected.length;
    try {
      return (await made).equals(expected) ? ended('right') : ended('wrong', 'other bytes');
    } catch (error) {
      return ended('wrong', `does not decode: ${codeOf(error)}`);
    }
  }

  /** In one piece, or chunked in random pieces. Never rejects. */
  private post(path: string, body: Buffer, below: (limit: number) => number): Promise<HttpAnswer> {
    const isWhole = below(2) === 0;
    return new Promise((resolve) => {
      const request = httpRequest(this.options.url() + path, {
        method: 'POST',
        agent: this.agent,
        headers: isWhole ? { 'Content-Length': body.length } : {},
      });
      let answer: HttpAnswer = { status: 0, isWhole: false, body: Buffer.alloc(0) };
      request.on('error', (error) => resolve({ ...answer, body: Buffer.from(codeOf(error)) }));
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        answer = { ...answer, status: response.statusCode ?? 0 };
        response.on('error', () => {});
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('close', () =>
          resolve({ ...answer, isWhole: response.complete, body: Buffer.concat(parts) }),
        );
      });
      if (isWhole) request.end(body);
      else {
        const step = 1 + below(100_000);
        for (let at = 0; at < body.length; at += step) request.write(body.subarray(at, at + step));
        request.end();
      }
    });
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/**
 * What node:zlib makes of it; undefined for what is no whole stream. node:zlib ignores bytes behind the end, as a flipped
 * bit in a block's head makes them; the service refuses them.
 */
function decoded(format: Format, packed: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const stream = { gzip: zlib.createGunzip, zlib: zlib.createInflate, deflate: zlib.createInflateRaw }[
      format
    ]();
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part)).on('error', () => resolve(undefined));
    stream.on('end', () => resolve(stream.bytesWritten === packed.length ? Buffer.concat(parts) : undefined));
    stream.end(packed);
  });
}

/** For a request that deserves a whole answer: a refusal of sound input as corrupt is as wrong as other bytes. */
function failure({ status, isWhole, body }: HttpAnswer): Ending {
  if (status === 0) return ended('failed', body.toString() || 'no answer');
  if (status === 200) return ended('failed', isWhole ? '200' : 'broken off');
  if (status === 422) return ended('wrong', `sound input was refused: ${body}`);
  const code = /"code":"([A-Z_0-9]+)"/.exec(body.toString())?.[1] ?? '';
  return ended('failed', `${status} ${code}`);
}
