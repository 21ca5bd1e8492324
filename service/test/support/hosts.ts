import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { CodecStream } from '../../src/codec/codec.ts';
import { createHost, type Host, type HostOptions } from '../../src/host.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { AcceleratorLibrary } from '../../src/warpdrive/accelerator-library.ts';

/** A stack whose only engine core is the polled one, unless asked otherwise: no threads, so no waiting. */
export const openHost = (options: Partial<HostOptions> = {}): Promise<Host> =>
  createHost({ mode: 'sva', core: 'wasm', cores: 0, queues: 4, ...options }, silentLog);

/** Opens a host with this core; undefined, with a line that says why, where its library is missing. */
export async function openHostIfPresent(
  core: CoreName,
  options: Partial<HostOptions> = {},
): Promise<Host | undefined> {
  try {
    return await openHost({ ...options, core });
  } catch (error) {
    if (!(error instanceof WarpDriveError) || core !== 'isal') throw error;
    process.stdout.write(`skipped: ${error.message}\n`);
    return undefined;
  }
}

/** The library inside, for its slot pools: they are not part of the host's public face. */
export const libraryOf = (host: Host): AcceleratorLibrary =>
  (host.codec as unknown as { library: AcceleratorLibrary }).library;

/** Slots that jobs hold now. */
export const slotsTaken = (host: Host): number => libraryOf(host).small.taken + libraryOf(host).large.taken;

/** Everything a stream makes of `chunks`. */
export async function through(stream: CodecStream, chunks: Iterable<Uint8Array>): Promise<Buffer> {
  const output: Buffer[] = [];
  await pipeline(Readable.from(chunks), stream, async (made: AsyncIterable<Buffer>) => {
    for await (const chunk of made) output.push(chunk);
  });
  return Buffer.concat(output);
}

/** The error a stream ends with, and what it emitted before; undefined error if it ended well. */
export async function outcomeOf(
  stream: CodecStream,
  chunks: Iterable<Uint8Array>,
): Promise<{ error: unknown; output: Buffer }> {
  const output: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => output.push(chunk));
  try {
    await pipeline(Readable.from(chunks), stream);
    return { error: undefined, output: Buffer.concat(output) };
  } catch (error) {
    return { error, output: Buffer.concat(output) };
  }
}

/** Lets everything that can happen without new input happen, on a host without threads. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}
