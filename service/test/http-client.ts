import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: NodeJS.Dict<string>;
  body: Buffer;
  /** False if the connection broke before the answer was whole. */
  complete: boolean;
}

export interface Post extends RequestOptions {
  /** Sent chunk by chunk; the request is chunked unless `headers` say a length. */
  chunks?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** One request over an own connection, reading while it writes. Never rejects once an answer began. */
export function send(url: string, { chunks = [], ...options }: Post = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', agent: false, ...options });
    request.on('error', reject);
    request.on('response', (response) => {
      request.off('error', reject).on('error', () => {});
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', () => {});
      response.on('close', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          trailers: response.trailers,
          body: Buffer.concat(parts),
          complete: response.complete,
        }),
      );
    });
    let next = () => {};
    request.on('drain', () => next()).on('close', () => next());
    write().catch(reject);
    async function write(): Promise<void> {
      for await (const chunk of chunks) {
        if (request.destroyed) return;
        if (!request.write(chunk)) await new Promise<void>((resume) => (next = resume));
      }
      request.end();
    }
  });
}

/** A body of known length in one piece, as most clients send it. */
export function sendWhole(
  url: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return send(url, { chunks: [body], headers: { 'Content-Length': body.length, ...headers } });
}

export function* slices(body: Uint8Array, bytes: number): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += bytes) yield body.subarray(at, at + bytes);
}

/** Text of JSON lines; the same for the same length. */
export function jsonText(bytes: number): Buffer {
  const lines: string[] = [];
  let length = 0;
  for (let i = 0; length < bytes; i++) {
    const line = `{"id":${i},"user":"user-${(i * 7919) % 1000}","path":"/v1/items/${(i * 31) % 97}","ms":${(i * 13) % 250}}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

/** A bare connection on which `text` was sent. */
export async function rawConnection(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text, 'latin1');
  return socket;
}

/** All that is answered to `text` until the connection closes. */
export async function rawAnswer(url: string, text: string): Promise<string> {
  const socket = await rawConnection(url, text);
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  await once(socket, 'close');
  return answer;
}

/** The problem document of a refusal. */
export function problem({ headers, body }: Answer): Record<string, unknown> {
  assert.equal(headers['content-type'], 'application/problem+json');
  return JSON.parse(body.toString()) as Record<string, unknown>;
}
