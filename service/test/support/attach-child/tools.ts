/** What the scenarios of an attached process share. */

import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { type ProblemCode, type ProblemDetails, WarpDriveError } from '../../../../shared/src/problem.ts';
import type { Operation } from '../../../../shared/src/telemetry.ts';
import { iova } from '../../../../shared/src/units.ts';
import { AttachConnection } from '../../../src/attach/client.ts';
import type { AttachMode } from '../../../src/attach/protocol.ts';
import { type ZipCompletion, ZipQueue, type ZipRequest } from '../../../src/driver/zip/zip-queue.ts';
import type { Queue } from '../../../src/library/index.ts';

export interface Where {
  path: string;
  mode?: AttachMode;
  token?: string;
  name?: string;
}
/** Tells the test that this process is set up, and waits until the test says go. */
export type Gate = () => Promise<void>;

export const JOB_DEADLINE_MS = 20_000;
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
export function textOf(seed: number, bytes: number): string {
  const next = randomOf(seed * 2654435761);
  let text = '';
  while (text.length < bytes) text += `{"seed":${seed},"id":${next()},"path":"/v1/items/${next() % 97}"}\n`;
  return text.slice(0, bytes);
}

export const attachOptions = ({ path, mode, token, name }: Where) => ({
  path,
  ...(mode ? { mode } : {}),
  ...(token ? { token } : {}),
  ...(name ? { name } : {}),
});

/** A queue driven with addresses as numbers, as a C program would drive it. */
export async function rawQueue(
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
export function waitFor(isDone: () => boolean): void {
  const end = performance.now() + JOB_DEADLINE_MS;
  for (let polls = 1; !isDone(); polls++) {
    if (polls % 2048 !== 0) continue;
    if (performance.now() > end) throw new Error('no completion within the deadline: the device hangs');
    Atomics.wait(NAP, 0, 0, 0.05);
  }
}

export const compressOnce = (queue: Queue, source: Uint8Array, destination: Uint8Array): ZipCompletion =>
  queue.runSync({ format: 'deflate', source, destination });

export const isRight = (done: ZipCompletion, destination: Uint8Array, source: Uint8Array): boolean =>
  done.outcome === 'ok' && inflateRawSync(destination.subarray(0, done.produced)).equals(source);

export const errorOf = async (call: () => Promise<unknown>): Promise<string> => {
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
export function readsAndWrites(): number {
  const text = readFileSync('/proc/self/io', 'utf8');
  const of = (name: string) => Number(new RegExp(`${name}: (\\d+)`).exec(text)?.[1]);
  return of('syscr') + of('syscw');
}

export type ChildMessage =
  | { type: 'ready' }
  | { type: 'result'; value: unknown }
  | { type: 'error'; code: ProblemCode; message: string; details: ProblemDetails };
