import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import { build } from 'esbuild';
import { WebSocket } from 'ws';
import { openStream, type ServiceStream, type StreamOptions } from '../src/client/index.ts';
import { createHost, type Host } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { serviceOn } from './http-service.ts';
import { cut, jsonLines, noise } from './support/corpus.ts';

const TEXT = jsonLines(3_000_000);

let host: Host;
let service: RunningService;
before(async () => {
  host = await createHost({ mode: 'sva', core: 'wasm', cores: 1, queues: 4 }, silentLog);
  service = await serviceOn(host);
});
after(() => service.stop());

const open = (options: Partial<StreamOptions> = {}): Promise<ServiceStream> =>
  openStream({ url: service.url, op: 'compress', ...options });

async function collect(readable: ReadableStream<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of readable) parts.push(part);
  return Buffer.concat(parts);
}

const source = (data: Uint8Array, bytes = 100_000): ReadableStream<Uint8Array> =>
  Readable.toWeb(Readable.from(cut(data, bytes))) as ReadableStream<Uint8Array>;

describe('openStream', () => {
  it('is a pair for pipeThrough, both ways, and tells what was done', async () => {
    const compress = await open({ format: 'gzip', level: 6 });
    const packed = await collect(source(TEXT).pipeThrough(compress));
    assert.ok(gunzipSync(packed).equals(TEXT));
    const { bytesIn, bytesOut, core, job } = await compress.done;
    assert.deepEqual([bytesIn, bytesOut, core], [TEXT.length, packed.length, 'wasm']);
    assert.equal((await fetch(`${service.url}/v1/jobs/${job}`)).status, 200);
    const decompress = await open({ op: 'decompress', format: 'auto' });
    assert.ok((await collect(source(packed, 7000).pipeThrough(decompress))).equals(TEXT));
  });
  it('uses the WebSocket of the platform where there is one', async (t) => {
    const made: unknown[] = [];
    class Counted extends WebSocket {
      constructor(...parameters: ConstructorParameters<typeof WebSocket>) {
        super(...parameters);
        made.push(this);
      }
    }
    const before = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
    Object.defineProperty(globalThis, 'WebSocket', { value: Counted, configurable: true });
    t.after(() => {
      Reflect.deleteProperty(globalThis, 'WebSocket');
      if (before) Object.defineProperty(globalThis, 'WebSocket', before);
    });
    const packed = await collect(
      source(TEXT.subarray(0, 1000)).pipeThrough(await open({ format: 'deflate' })),
    );
    assert.ok(inflateRawSync(packed).equals(TEXT.subarray(0, 1000)));
    assert.equal(made.length, 1);
  });
  it('brings out what was written when flush is called', async () => {
    const stream = await open();
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    await writer.write(Buffer.from('early'));
    await stream.flush();
    let packed = Buffer.alloc(0);
    for (let text = ''; text !== 'early'; text = gunzipSync(packed, { finishFlush: 2 }).toString()) {
      const { value } = await reader.read();
      packed = Buffer.concat([packed, value ?? Buffer.alloc(0)]);
    }
    await stream.finish();
    for (let part = await reader.read(); !part.done; part = await reader.read())
      packed = Buffer.concat([packed, part.value]);
    assert.equal(gunzipSync(packed).toString(), 'early');
  });
  it('lets the service run ahead of its reader by no more than the window', async () => {
    const bomb = gzipSync(Buffer.alloc(20 << 20));
    const windowBytes = 256 * 1024;
    const stream = await open({ op: 'decompress', windowBytes });
    const writing = new Response(bomb).body?.pipeTo(stream.writable as WritableStream);
    const reader = stream.readable.getReader();
    await new Promise((later) => setTimeout(later, 100)); // what may come has come
    let bytes = 0;
    let largest = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.length;
      largest = Math.max(largest, part.value.length);
    }
    await writing;
    assert.equal(bytes, 20 << 20);
    assert.ok(largest <= windowBytes);
  });
  it('holds a writer back while its reader does not read', async () => {
    const stream = await open({ op: 'compress', windowBytes: 64 * 1024 });
    const writer = stream.writable.getWriter();
    let written = 0;
    const writing = (async () => {
      for (const piece of cut(noise(16 << 20), 1 << 18)) {
        await writer.write(piece);
        written += piece.length;
      }
    })();
    writing.catch(() => {});
    let last = -1;
    for (; last !== written; await new Promise((later) => setTimeout(later, 200))) last = written;
    assert.ok(written < 8 << 20, `${written} bytes were taken`);
    stream.abort();
    await assert.rejects(writing, { code: 'WD_E_ABORTED' });
  });
  it("gives the service's own error to the reader, the writer and done", async () => {
    const stream = await open({ op: 'decompress', format: 'gzip' });
    const writer = stream.writable.getWriter();
    await writer.write(Buffer.from('this is no gzip member'));
    await assert.rejects(collect(stream.readable), { name: 'WarpDriveError', code: 'WD_E_INPUT_CORRUPT' });
    await assert.rejects(stream.done, { code: 'WD_E_INPUT_CORRUPT' });
    await assert.rejects(writer.write(Buffer.alloc(10)), { code: 'WD_E_INPUT_CORRUPT' });
    const short = await open({ op: 'decompress' });
    const whole = source(gzipSync(TEXT).subarray(0, 1000)).pipeThrough(short);
    await assert.rejects(collect(whole), { code: 'WD_E_INPUT_TRUNCATED' });
  });
  it('gives its stream at the service back when it is aborted or cancelled', {
    timeout: 20_000,
  }, async () => {
    const controller = new AbortController();
    const aborted = await open({ signal: controller.signal });
    const cancelled = await open();
    const openStreams = async (): Promise<number> => {
      const metrics = await (await fetch(`${service.url}/metrics`)).text();
      return Number(/^warpdrive_active_streams(?:\{.*\})? (\d+)/m.exec(metrics)?.[1]);
    };
    while ((await openStreams()) !== 2) await new Promise((later) => setTimeout(later, 10));
    controller.abort();
    await cancelled.readable.cancel();
    await assert.rejects(aborted.done, { code: 'WD_E_ABORTED' });
    await assert.rejects(cancelled.done, { code: 'WD_E_ABORTED' });
    while ((await openStreams()) !== 0) await new Promise((later) => setTimeout(later, 10));
  });
  it('leaves nothing at a signal that outlives it, and is not opened by one that fires meanwhile', async () => {
    const lasting = new AbortController();
    const stream = await open({ signal: lasting.signal });
    assert.equal(getEventListeners(lasting.signal, 'abort').length, 1);
    const [packed] = await Promise.all([collect(stream.readable), stream.finish()]);
    assert.equal(gunzipSync(packed).length, 0);
    assert.equal(getEventListeners(lasting.signal, 'abort').length, 0);
    const early = new AbortController();
    const opening = open({ signal: early.signal });
    early.abort();
    await assert.rejects(opening, { name: 'AbortError' });
  });

  it('shows its token, in any alphabet', async () => {
    const token = 'gehëim/token+16';
    const guarded = await serviceOn(host, { token });
    await assert.rejects(open({ url: guarded.url, token: 'another' }), { code: 'WD_E_ABORTED' });
    const stream = await open({ url: `${guarded.url}/`, token });
    assert.ok(gunzipSync(await collect(source(TEXT.subarray(0, 500)).pipeThrough(stream))).length === 500);
    await guarded.stop();
  });
  it('says so when nobody listens, the service refuses, or the URL is none', async () => {
    await assert.rejects(open({ url: 'http://127.0.0.1:9' }), { code: 'WD_E_ABORTED' });
    await assert.rejects(open({ level: 77 }), { code: 'WD_E_ABORTED' });
    await assert.rejects(open({ url: 'here' }), { code: 'WD_E_EINVAL' });
    await assert.rejects(open({ url: 'ftp://a' }), { code: 'WD_E_EINVAL' });
  });
  it('bundles for browsers: nothing of Node in it', async () => {
    const { metafile } = await build({
      entryPoints: [new URL('../src/client/index.js', import.meta.url).pathname],
      bundle: true,
      write: false,
      metafile: true,
      platform: 'browser',
      format: 'esm',
      external: ['ws'],
    });
    const imports = Object.values(metafile.outputs).flatMap((output) =>
      output.imports.map(({ path }) => path),
    );
    assert.deepEqual(imports, ['ws']);
  });
});
