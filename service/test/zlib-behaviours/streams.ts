import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as node from 'node:zlib';
import { cut } from '../support/corpus.ts';
import { type Behaviour, collect, creatorOf, DENSE, fieldsOf, PAIRS, SMALL, TEXT } from './behaviour.ts';

const gz = node.gzipSync(TEXT);

/** Error of a stream that is given `parts`. */
async function streamError(stream: node.Gunzip, parts: readonly Uint8Array[]) {
  const failed = once(stream, 'error') as Promise<[NodeJS.ErrnoException]>;
  stream.resume();
  for (const part of parts) stream.write(part);
  stream.end();
  const [error] = await failed;
  return fieldsOf(error);
}

export const STREAMS: Behaviour[] = [
  ...PAIRS.map(
    ([pack, unpack]): Behaviour => ({
      name: `pipeline through ${pack} and ${unpack} gives the data back, in writes of any size`,
      async run(zlib) {
        for (const [data, size] of [
          [TEXT, 1000],
          [TEXT, 70_000],
          [DENSE, 65_536],
          [SMALL, 1],
          [TEXT, 1e6],
        ] as const) {
          const stream = Readable.from(cut(data, size));
          const parts: Buffer[] = [];
          const sink = new Writable({
            write(chunk: Buffer, _encoding, done) {
              parts.push(chunk);
              setImmediate(done);
            },
          });
          await pipeline(stream, creatorOf(zlib, pack)(), creatorOf(zlib, unpack)(), sink);
          assert.ok(Buffer.concat(parts).equals(data));
        }
      },
    }),
  ),
  {
    name: 'async iteration gives Buffers',
    async run(zlib) {
      for await (const chunk of Readable.from([gz]).pipe(zlib.createGunzip()))
        assert.ok(Buffer.isBuffer(chunk));
    },
  },
  {
    name: 'a stream that ends without data is a whole empty member',
    async run(zlib) {
      for (const [pack, unpack] of PAIRS) {
        const packed = await collect(creatorOf(zlib, pack)().end());
        assert.ok(packed.length > 0 || pack === 'deflateRaw');
        assert.equal((await collect(creatorOf(zlib, unpack)().end(packed))).length, 0);
      }
    },
  },
  {
    name: 'zero-length writes do nothing',
    async run(zlib) {
      const stream = zlib.createGzip();
      stream.write('');
      stream.write(Buffer.alloc(0));
      stream.end('abc');
      assert.equal(node.gunzipSync(await collect(stream)).toString(), 'abc');
    },
  },
  {
    name: 'strings are written in their encoding',
    async run(zlib) {
      const stream = zlib.createGzip();
      stream.write('6162', 'hex');
      stream.end('ç', 'latin1');
      assert.equal(node.gunzipSync(await collect(stream)).toString('latin1'), 'abç');
    },
  },
  {
    name: 'setEncoding gives strings',
    async run(zlib) {
      const stream = zlib.createGunzip();
      stream.setEncoding('utf8');
      stream.end(node.gzipSync('✓'.repeat(1000)));
      let text = '';
      for await (const part of stream) text += part as string;
      assert.equal(text, '✓'.repeat(1000));
    },
  },
  {
    name: 'the caller may reuse its buffer once the write has called back',
    async run(zlib) {
      const stream = zlib.createGzip();
      const result = collect(stream);
      const buffer = Buffer.alloc(1000);
      const expected: Buffer[] = [];
      for (let i = 0; i < 300; i++) {
        buffer.fill(`piece ${i} `);
        expected.push(Buffer.from(buffer));
        await new Promise((written) => stream.write(buffer, written));
      }
      stream.end();
      assert.ok(node.gunzipSync(await result).equals(Buffer.concat(expected)));
    },
  },
  {
    name: 'flush() brings out all that was written',
    async run(zlib) {
      const gzip = zlib.createGzip();
      const gunzip = node.createGunzip();
      gzip.pipe(gunzip);
      for (const text of ['one', 'two', 'three']) {
        const arrived = once(gunzip, 'data');
        gzip.write(text);
        gzip.flush();
        assert.equal(String((await arrived)[0]), text);
      }
      gzip.end();
      await once(gunzip.resume(), 'end');
    },
  },
  {
    name: 'flush takes a kind, a callback, or both, and calls back in order',
    async run(zlib) {
      const stream = zlib.createGzip();
      stream.resume();
      const order: string[] = [];
      stream.write('a', () => order.push('write a'));
      stream.flush(zlib.constants.Z_SYNC_FLUSH, () => order.push('flush 1'));
      stream.write('b', () => order.push('write b'));
      await new Promise<void>((done) => stream.flush(done));
      order.push('flush 2');
      assert.deepEqual(order, ['write a', 'flush 1', 'write b', 'flush 2']);
      stream.end();
    },
  },
  {
    name: 'flush after the end calls back',
    async run(zlib) {
      const stream = zlib.createGzip();
      stream.resume();
      stream.end('abc');
      await new Promise<void>((done) => stream.flush(done));
      if (!stream.closed) await once(stream, 'close');
      await new Promise<void>((done) => stream.flush(done));
    },
  },
  {
    name: 'a sync flush keeps what matches may refer to',
    async run(zlib) {
      const length = async (repeated: boolean) => {
        const stream = zlib.createDeflateRaw({ level: 6 });
        const result = collect(stream);
        stream.write(DENSE.subarray(0, 5000));
        await new Promise<void>((done) => stream.flush(zlib.constants.Z_SYNC_FLUSH, done));
        stream.end(repeated ? DENSE.subarray(0, 5000) : DENSE.subarray(5000, 10_000));
        const packed = await result;
        assert.equal(node.inflateRawSync(packed).length, 10_000);
        return packed.length;
      };
      assert.ok((await length(true)) < 5500 && (await length(false)) > 10_000);
    },
  },
  {
    name: 'what follows a full flush can be read alone',
    async run(zlib) {
      const stream = zlib.createDeflateRaw();
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.write(TEXT.subarray(0, 40_000));
      await new Promise<void>((done) => stream.flush(zlib.constants.Z_FULL_FLUSH, done));
      const before = Buffer.concat(parts).length;
      stream.end(TEXT.subarray(40_000, 60_000));
      await once(stream, 'end');
      const after = Buffer.concat(parts).subarray(before);
      assert.ok(node.inflateRawSync(after).equals(TEXT.subarray(40_000, 60_000)));
    },
  },
  {
    name: 'flush: Z_SYNC_FLUSH as an option brings out every write',
    async run(zlib) {
      const stream = zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH });
      const gunzip = stream.pipe(node.createGunzip());
      for (const text of ['first', 'second']) {
        const arrived = once(gunzip, 'data');
        stream.write(text);
        assert.equal(String((await arrived)[0]), text);
      }
      stream.end();
      await once(gunzip.resume(), 'end');
    },
  },
  {
    name: 'params changes the level in the middle',
    async run(zlib) {
      const stream = zlib.createDeflate({ level: 9 });
      const result = collect(stream);
      stream.write(TEXT);
      await new Promise<void>((done) => stream.params(1, zlib.constants.Z_DEFAULT_STRATEGY, done));
      stream.end(TEXT);
      assert.ok(node.inflateSync(await result).equals(Buffer.concat([TEXT, TEXT])));
    },
  },
  {
    name: 'reset starts a new stream',
    async run(zlib) {
      const inflate = zlib.createInflate();
      const parts: Buffer[] = [];
      inflate.on('data', (part: Buffer) => parts.push(part));
      await new Promise((done) => inflate.write(node.deflateSync('one'), done));
      inflate.reset();
      await new Promise((done) => inflate.write(node.deflateSync('two'), done));
      assert.equal(String(Buffer.concat(parts)), 'onetwo');
      inflate.close();
    },
  },
  {
    name: 'bytesWritten counts the input of both directions',
    async run(zlib) {
      const gzip = zlib.createGzip();
      const gunzip = zlib.createGunzip();
      const packed = collect(gzip);
      gzip.write(SMALL);
      gzip.end(SMALL);
      assert.equal((await collect(gunzip.end(await packed))).length, 2 * SMALL.length);
      assert.equal(gzip.bytesWritten, 2 * SMALL.length);
      assert.equal(gunzip.bytesWritten, (await packed).length);
    },
  },
  {
    name: 'bytesWritten leaves out what follows the data',
    async run(zlib) {
      const packed = node.deflateRawSync(SMALL);
      const inflate = zlib.createInflateRaw();
      inflate.end(Buffer.concat([packed, Buffer.from('junk')]));
      assert.ok((await collect(inflate)).equals(SMALL));
      assert.equal(inflate.bytesWritten, packed.length);
    },
  },
  {
    name: 'members, padding and headers may be cut anywhere',
    async run(zlib) {
      const joined = Buffer.concat([
        node.gzipSync('abc'),
        node.gzipSync(''),
        node.gzipSync(SMALL),
        Buffer.alloc(30),
      ]);
      for (const size of [1, 7, 100]) {
        const out = await collect(Readable.from(cut(joined, size)).pipe(zlib.createGunzip()));
        assert.ok(out.equals(Buffer.concat([Buffer.from('abc'), SMALL])));
      }
    },
  },
  {
    name: 'the end of the data ends the stream, whatever is written behind it',
    async run(zlib) {
      const inflate = zlib.createInflate();
      inflate.write(Buffer.concat([node.deflateSync('abc'), Buffer.from('junk')]));
      const out = collect(inflate);
      inflate.write('more junk');
      inflate.end();
      assert.equal(String(await out), 'abc');
    },
  },
  {
    name: 'corrupt data is an error event with code and errno, also one byte at a time',
    async run(zlib) {
      const bad = Buffer.from(gz);
      bad[bad.length - 6] = (bad.at(-6) ?? 0) ^ 1;
      const expected = { name: 'Error', message: 'incorrect data check', code: 'Z_DATA_ERROR', errno: -3 };
      assert.deepEqual(await streamError(zlib.createGunzip(), [bad]), expected);
      assert.deepEqual(await streamError(zlib.createGunzip(), cut(bad, 997)), expected);
      const header = { ...expected, message: 'incorrect header check' };
      assert.deepEqual(await streamError(zlib.createGunzip(), cut(SMALL, 1)), header);
      assert.deepEqual(await streamError(zlib.createUnzip(), cut(SMALL, 1)), header);
    },
  },
  {
    name: 'truncated data is an error at the end',
    async run(zlib) {
      const expected = { name: 'Error', message: 'unexpected end of file', code: 'Z_BUF_ERROR', errno: -5 };
      for (const part of [gz.subarray(0, 3), gz.subarray(0, 1000), gz.subarray(0, -1)])
        assert.deepEqual(await streamError(zlib.createGunzip(), [part]), expected);
      assert.deepEqual(await streamError(zlib.createInflateRaw(), []), expected);
    },
  },
  {
    name: 'finishFlush Z_SYNC_FLUSH lets truncated data end in peace',
    async run(zlib) {
      const gunzip = zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
      gunzip.end(gz.subarray(0, gz.length / 2));
      const out = await collect(gunzip);
      assert.ok(out.length > 1000 && TEXT.subarray(0, out.length).equals(out));
    },
  },
  {
    name: 'an error closes the stream and fails the pipeline',
    async run(zlib) {
      const gunzip = zlib.createGunzip();
      await assert.rejects(pipeline(Readable.from([SMALL]), gunzip, new PassThrough()), {
        code: 'Z_DATA_ERROR',
      });
      assert.ok(gunzip.destroyed);
    },
  },
  {
    name: 'close calls back, and a write afterwards fails',
    async run(zlib) {
      const stream = zlib.createGzip();
      stream.write('abc');
      await new Promise<void>((done) => stream.close(done));
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
        stream.on('error', resolve);
        stream.write('def', (failed) => failed && resolve(failed));
      });
      assert.equal(error.code, 'ERR_STREAM_DESTROYED');
    },
  },
  {
    name: 'destroy in the middle of work emits close and nothing else',
    async run(zlib) {
      const bomb = node.gzipSync(Buffer.alloc(50 << 20));
      const stream = zlib.createGunzip();
      const events: string[] = [];
      for (const name of ['end', 'error', 'finish']) stream.on(name, () => events.push(name));
      stream.write(bomb);
      stream.once('data', () => stream.destroy());
      await once(stream, 'close');
      assert.deepEqual(events, []);
    },
  },
  {
    name: 'a reader that does not read holds the output back',
    async run(zlib) {
      const bomb = node.gzipSync(Buffer.alloc(50 << 20));
      const stream = zlib.createGunzip();
      stream.end(bomb);
      await new Promise((later) => setTimeout(later, 50));
      assert.ok(stream.readableLength < 1 << 20);
      let bytes = 0;
      for await (const part of stream) bytes += (part as Buffer).length;
      assert.equal(bytes, 50 << 20);
    },
  },
  {
    name: 'write says false when too much waits, and drain follows',
    async run(zlib) {
      const stream = zlib.createGzip();
      let isFull = false;
      for (let i = 0; i < 100 && !isFull; i++) isFull = !stream.write(DENSE);
      assert.ok(isFull);
      const drained = once(stream, 'drain');
      stream.resume();
      await drained;
      stream.end();
      await once(stream, 'end');
    },
  },
  {
    name: 'chunkSize is the largest chunk that comes out',
    async run(zlib) {
      const chunkSize = 1000;
      const streams = [zlib.createGunzip({ chunkSize }).end(gz), zlib.createGzip({ chunkSize }).end(DENSE)];
      for (const stream of streams) {
        stream.on('data', (part: Buffer) => assert.ok(part.length <= chunkSize));
        await once(stream, 'end');
      }
    },
  },
  {
    name: 'highWaterMark of both sides is taken over',
    run(zlib) {
      const stream = zlib.createGzip({ highWaterMark: 5 } as node.ZlibOptions);
      assert.equal(stream.writableHighWaterMark, 5);
      assert.equal(stream.readableHighWaterMark, 5);
      stream.close();
    },
  },
  {
    name: 'a preset dictionary works in streams',
    async run(zlib) {
      const dictionary = Buffer.from('a dictionary of the words to come');
      const packed = await collect(zlib.createDeflate({ dictionary }).end('the words to come'));
      const plain = await collect(zlib.createInflate({ dictionary }).end(packed));
      assert.equal(String(plain), 'the words to come');
    },
  },
  {
    name: 'writes keep their order among flushes of every kind',
    async run(zlib) {
      const stream = zlib.createGzip();
      const result = collect(stream);
      const { Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH } = zlib.constants;
      const kinds = [Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH];
      const parts = cut(TEXT.subarray(0, 50_000), 1234);
      parts.forEach((part, i) => {
        stream.write(part);
        stream.flush(kinds[i % kinds.length]);
      });
      stream.end();
      assert.ok(node.gunzipSync(await result).equals(TEXT.subarray(0, 50_000)));
    },
  },
  {
    name: 'end takes a last chunk and a callback',
    async run(zlib) {
      const stream = zlib.createDeflateRaw();
      const result = collect(stream);
      await new Promise<void>((done) => stream.end('abc', done));
      assert.equal(String(node.inflateRawSync(await result)), 'abc');
    },
  },
];
