import type { Transform } from 'node:stream';
import type { Deflate, InputType, ZlibOptions } from 'node:zlib';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import { CompressTransform } from './compress-transform.ts';
import { DecompressTransform } from './decompress-transform.ts';
import { type Engine, theEngine } from './engine.ts';
import type { EngineTransform } from './engine-transform.ts';
import { bytesOf, type OneShot, startOneShot } from './one-shot.ts';
import { isPlain, type Kind } from './plain-options.ts';
import { takeTurns } from './turns.ts';

/** What node:zlib has for a kind of stream: what the engine cannot do goes there. */
export interface NodeKind extends Kind {
  create(options?: ZlibOptions): Transform;
  sync(input: InputType, options?: ZlibOptions): Buffer;
  async(input: InputType, options: ZlibOptions, callback: OneShotCallback): void;
}

/** As node:zlib's. With `info: true` the result is `{ buffer, engine }`. */
export type OneShotCallback = (error: Error | null, result: Buffer) => void;

/** Which engine core makes (for a compression stream: made last) the bytes; `zlib` is node:zlib. */
export interface WithCore {
  readonly core: CoreName;
}

/** A stream as node:zlib's classes describe it. `params` and `reset` as there: compression has both. */
export type EngineStream = Deflate & WithCore;

const fromNode = <T extends object>(stream: T): T & WithCore =>
  Object.defineProperty(stream, 'core', { value: 'zlib', enumerable: true }) as T & WithCore;

/** The engine, if it does all of this. */
const engineFor = (kind: Kind, options: ZlibOptions | undefined): Engine | undefined =>
  isPlain(kind, options) ? theEngine() : undefined;

export function createStream(kind: NodeKind, options?: ZlibOptions): EngineStream {
  const engine = engineFor(kind, options);
  if (!engine) return fromNode(kind.create(options)) as EngineStream;
  const stream: EngineTransform =
    kind.direction === 'compress'
      ? new CompressTransform(engine, kind, options)
      : new DecompressTransform(engine, kind, options);
  return stream as unknown as EngineStream;
}

export function convertSync(kind: NodeKind, input: InputType, options?: ZlibOptions): Buffer {
  const engine = engineFor(kind, options);
  const bytes = engine && bytesOf(input);
  if (!engine || !bytes) return named(kind.sync(input, options), options);
  const shot = startOneShot(engine, kind, bytes, options);
  try {
    while (shot.step() > 0);
    return resultOf(kind, shot, options);
  } catch (error) {
    if (isRefusal(error)) return kind.sync(input, options); // throws the same, as node words it
    throw error;
  }
}

/** With a callback as node:zlib; without one a promise. */
export function convert(
  kind: NodeKind,
  input: InputType,
  optionsOrCallback?: ZlibOptions | OneShotCallback,
  callback?: OneShotCallback,
): Promise<Buffer> | undefined {
  const options = typeof optionsOrCallback === 'function' ? {} : (optionsOrCallback ?? {});
  const done = typeof optionsOrCallback === 'function' ? optionsOrCallback : callback;
  if (done === undefined)
    return new Promise((resolve, reject) => {
      start(kind, input, options, (error, result) => (error ? reject(error) : resolve(result)));
    });
  start(kind, input, options, done);
  return undefined;
}

function start(kind: NodeKind, input: InputType, options: ZlibOptions, done: OneShotCallback): void {
  const engine = typeof done === 'function' ? engineFor(kind, options) : undefined;
  const bytes = engine && bytesOf(input);
  if (!engine || !bytes) {
    if (typeof done !== 'function' || !options?.info) kind.async(input, options, done);
    else kind.async(input, options, (error, result) => done(error, error ? result : named(result, options)));
    return;
  }
  const shot = startOneShot(engine, kind, bytes, options);
  takeTurns(() => {
    try {
      const taken = shot.step();
      if (taken === 0) process.nextTick(done, null, resultOf(kind, shot, options));
      return taken;
    } catch (error) {
      if (isRefusal(error)) kind.async(input, options, done);
      else process.nextTick(done, error as Error);
      return 0;
    }
  });
}

/** Whether it is a verdict on the input, which node:zlib then speaks itself. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code?.startsWith('Z_') === true;
}

/** `info: true`: the result with the (closed) stream that stands for it, as node:zlib gives it. */
function resultOf(kind: NodeKind, shot: OneShot, options: ZlibOptions | undefined): Buffer {
  const buffer = shot.result();
  if (!options?.info) return buffer;
  const engine = createStream(kind, options);
  Object.defineProperty(engine, 'bytesWritten', { value: shot.bytesIn });
  engine.close();
  return { buffer, engine } as unknown as Buffer;
}

/** The same of node:zlib. */
function named(result: Buffer, options: ZlibOptions | undefined): Buffer {
  if (options?.info) fromNode(Reflect.get(result, 'engine') as object);
  return result;
}
