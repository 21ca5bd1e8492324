/** A service in this process, raw sockets to it, and what every answer must look like. */
import { connect } from 'node:net';
import { isProblemCode, PROBLEMS } from '../../../shared/src/problem.ts';
import { createHost, type Host } from '../../src/host.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { RunningService } from '../../src/service.ts';
import { serviceOn } from '../http-service.ts';
import { expect, shown } from './target.ts';

export interface FuzzedService {
  readonly host: Host;
  readonly port: number;
  close(): Promise<void>;
}

/** Short limits, so that a request that stands still ends within a run. */
export async function openService(options: Record<string, unknown> = {}): Promise<FuzzedService> {
  const host = await createHost({ mode: 'sva', core: 'wasm', cores: 0, queues: 4 }, silentLog);
  const limits = { headerTimeout: 0.4, idleTimeout: 0.4, maxFrame: 4096, maxTokenGuesses: 1_000_000 };
  const service: RunningService = await serviceOn(host, { ...limits, ...options });
  return {
    host,
    port: Number(new URL(service.url).port),
    async close() {
      await service.stop();
      await host.close();
    },
  };
}

/** The service's own limits end what stands still long before. */
const FIRST_BYTE_MS = 20_000;

export interface Exchange {
  bytes: Buffer;
  /** The service ended the connection, cleanly or not. */
  isClosed: boolean;
}

/**
 * Sends bytes in pieces and collects the answer, until the service closes, `isEnough` says so, or nothing came for
 * `quietMs` behind its first byte.
 * @param chunk bytes of a piece; 0 = all at once
 */
export function exchange(
  port: number,
  bytes: Uint8Array,
  chunk: number,
  quietMs: number,
  isEnough: (answer: Buffer) => boolean = () => false,
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const parts: Buffer[] = [];
    let quiet: NodeJS.Timeout | undefined;
    const end = (isClosed: boolean): void => {
      clearTimeout(quiet);
      socket.destroy();
      resolve({ bytes: Buffer.concat(parts), isClosed });
    };
    const wait = (ms: number): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => end(false), ms);
    };
    socket.on('error', () => {}); // a reset after a refusal: `close` follows
    socket.on('close', () => end(true));
    socket.on('connect', async () => {
      wait(FIRST_BYTE_MS);
      const step = chunk || bytes.length || 1;
      for (let at = 0; at < bytes.length && !socket.destroyed; at += step) {
        socket.write(bytes.subarray(at, at + step));
        if (at + step < bytes.length) await new Promise((next) => setImmediate(next));
      }
    });
    socket.on('data', (part) => {
      parts.push(part);
      try {
        if (isEnough(Buffer.concat(parts))) end(false);
        else wait(quietMs);
      } catch (error) {
        reject(error);
        end(false);
      }
    });
  });
}

export interface Answer {
  status: number;
  fields: Map<string, string>;
  body: Buffer;
  /** All of the body came. */
  isWhole: boolean;
}

const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)$/;

/**
 * The answers in what a connection said, informational ones left out (RFC 9112).
 * @throws Finding for what is no HTTP
 */
export function answersIn(bytes: Buffer, isHead = false): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', at);
    expect(end !== -1, () => `a head without end: ${shown(bytes.subarray(at))}`);
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const status = Number(STATUS_LINE.exec(first)?.[1]);
    expect(status >= 100 && status < 600, () => `no status line: ${JSON.stringify(first)}`);
    const fields = new Map<string, string>();
    for (const line of lines) {
      const [, name, value] = FIELD.exec(line) ?? [];
      expect(name !== undefined && value !== undefined, () => `no header field: ${JSON.stringify(line)}`);
      fields.set(name.toLowerCase(), value);
    }
    at = end + 4;
    if (status === 101) return [...answers, { status, fields, body: bytes.subarray(at), isWhole: true }];
    if (status < 200) continue;
    const isEmpty = isHead || status === 204 || status === 304;
    // a refusal of bytes that are no request has a body, whatever word they begin with
    const hasNone = isEmpty && (status < 400 || bytes[at] !== '{'.charCodeAt(0));
    const framed = hasNone ? { body: Buffer.alloc(0), next: at } : bodyAt(bytes, at, fields);
    answers.push({ status, fields, body: framed.body, isWhole: framed.next !== undefined });
    at = framed.next ?? bytes.length;
  }
  return answers;
}

/** @returns `next` undefined when the body is cut off */
function bodyAt(bytes: Buffer, at: number, fields: Map<string, string>): { body: Buffer; next?: number } {
  const length = fields.get('content-length');
  if (fields.get('transfer-encoding') === 'chunked') {
    expect(length === undefined, () => 'Content-Length beside Transfer-Encoding');
    return chunkedAt(bytes, at);
  }
  expect(length === undefined || /^\d+$/.test(length), () => `Content-Length: ${length}`);
  if (length === undefined) return { body: bytes.subarray(at), next: bytes.length };
  const next = at + Number(length);
  return { body: bytes.subarray(at, next), ...(next <= bytes.length ? { next } : {}) };
}

function chunkedAt(bytes: Buffer, start: number): { body: Buffer; next?: number } {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return { body: Buffer.concat(parts) };
    const size = bytes.toString('latin1', at, end);
    expect(/^[0-9a-fA-F]+$/.test(size), () => `chunk size ${JSON.stringify(size)}`);
    const length = Number.parseInt(size, 16);
    at = end + 2;
    if (length === 0) {
      const trailers = bytes.subarray(at, at + 2).equals(CRLF) ? at - 2 : bytes.indexOf('\r\n\r\n', at);
      return { body: Buffer.concat(parts), ...(trailers === -1 ? {} : { next: trailers + 4 }) };
    }
    if (at + length + 2 > bytes.length) return { body: Buffer.concat(parts) };
    parts.push(bytes.subarray(at, at + length));
    expect(bytes.subarray(at + length, at + length + 2).equals(CRLF), () => 'a chunk does not end with CRLF');
    at += length + 2;
  }
}

const CRLF = Buffer.from('\r\n');

/** Every failure is a problem document of the catalogue that agrees with the status (RFC 9457). @throws Finding */
export function expectProblem({ status, fields, body, isWhole }: Answer): void {
  expect(status !== 500 && status !== 502 && status !== 504, () => `status ${status}: ${shown(body)}`);
  if (status < 400 || !isWhole) return;
  const type = fields.get('content-type') ?? '';
  expect(type.startsWith('application/problem+json'), () => `status ${status} as ${type}: ${shown(body)}`);
  if (body.length === 0) return; // the answer to HEAD
  const problem = JSON.parse(body.toString()) as { status?: unknown; code?: unknown };
  expect(problem.status === status, () => `status ${status} with ${shown(body)}`);
  const { code } = problem;
  expect(typeof code === 'string' && isProblemCode(code), () => `an unknown code: ${shown(body)}`);
  expect(PROBLEMS[code].status === status, () => `${code} with status ${status}`);
}
