import assert from 'node:assert/strict';
import { kMaxLength } from 'node:buffer';
import { promisify } from 'node:util';
import { type Behaviour, DENSE, PAIRS, SMALL, TEXT, type Zlib } from './behaviour.ts';

const called = <T>(start: (done: (error: Error | null, result: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => start((error, result) => (error ? reject(error) : resolve(result))));

const inputs: [string, (bytes: Buffer) => unknown][] = [
  ['a Uint8Array', (bytes) => Uint8Array.from(bytes)],
  ['an ArrayBuffer', (bytes) => Uint8Array.from(bytes).buffer],
  ['a DataView with an offset', (bytes) => new DataView(Uint8Array.from([0, 0, ...bytes]).buffer, 2)],
  ['a Uint16Array', (bytes) => new Uint16Array(Uint8Array.from(bytes.subarray(0, 600)).buffer)],
];

export const ONE_SHOT: Behaviour[] = [
  ...PAIRS.map(
    ([pack, unpack]): Behaviour => ({
      name: `${pack}Sync and ${unpack}Sync are inverse for text, noise, one byte and nothing`,
      run(zlib) {
        for (const data of [TEXT, DENSE, SMALL, Buffer.from('x'), Buffer.alloc(0)])
          assert.ok(zlib[`${unpack}Sync`](zlib[`${pack}Sync`](data)).equals(data));
      },
    }),
  ),
  ...PAIRS.map(
    ([pack, unpack]): Behaviour => ({
      name: `${pack} and ${unpack} call back with the result, after the call returned`,
      async run(zlib) {
        let hasReturned = false;
        const packed = called<Buffer>((done) =>
          zlib[pack](TEXT, (error, result) => {
            assert.ok(hasReturned);
            done(error, result);
          }),
        );
        hasReturned = true;
        const data = await called<Buffer>(async (done) => zlib[unpack](await packed, {}, done));
        assert.ok(data.equals(TEXT));
      },
    }),
  ),
  ...inputs.map(
    ([name, make]): Behaviour => ({
      name: `gzipSync takes ${name}`,
      run(zlib) {
        const input = make(SMALL) as Uint8Array<ArrayBuffer>;
        const bytes = ArrayBuffer.isView(input)
          ? Buffer.from(input.buffer, input.byteOffset, input.byteLength)
          : Buffer.from(input);
        assert.ok(zlib.gunzipSync(zlib.gzipSync(input)).equals(bytes));
      },
    }),
  ),
  {
    name: 'gzipSync takes a string as UTF-8',
    run(zlib) {
      assert.equal(zlib.gunzipSync(zlib.gzipSync('naïve ✓')).toString(), 'naïve ✓');
    },
  },
  {
    name: 'results are Buffers that the next call leaves alone',
    run(zlib) {
      const first = zlib.gzipSync(SMALL);
      const copy = Buffer.from(first);
      zlib.gzipSync(DENSE);
      assert.ok(Buffer.isBuffer(first) && first.equals(copy));
      const plain = zlib.gunzipSync(first);
      zlib.gunzipSync(zlib.gzipSync(DENSE));
      assert.ok(plain.equals(SMALL));
    },
  },
  {
    name: 'the input is not changed',
    run(zlib) {
      const input = Buffer.from(TEXT);
      zlib.gzipSync(input);
      assert.ok(input.equals(TEXT));
    },
  },
  {
    name: 'util.promisify gives promises',
    async run(zlib) {
      const packed = await promisify<Buffer, Buffer>(zlib.gzip)(SMALL);
      assert.ok((await promisify<Buffer, Buffer>(zlib.gunzip)(packed)).equals(SMALL));
    },
  },
  {
    name: 'every level makes data that comes back, and level 9 is smaller than level 1',
    run(zlib) {
      const sizes = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => {
        const packed = zlib.gzipSync(TEXT, { level });
        assert.ok(zlib.gunzipSync(packed).equals(TEXT));
        return packed.length;
      });
      assert.ok((sizes.at(-1) ?? 0) < (sizes[2] ?? 0));
      assert.ok((sizes[1] ?? 0) > TEXT.length, 'level 0 stores');
    },
  },
  {
    name: 'every strategy, window and memory level makes data that comes back',
    run(zlib) {
      for (const strategy of [0, 1, 2, 3, 4])
        for (const windowBits of [9, 12, 15])
          for (const memLevel of [1, 9]) {
            const packed = zlib.deflateSync(SMALL, { strategy, windowBits, memLevel });
            assert.ok(zlib.inflateSync(packed).equals(SMALL));
          }
    },
  },
  {
    name: 'windowBits is written to the zlib header',
    run(zlib) {
      for (const windowBits of [9, 11, 15])
        assert.equal((zlib.deflateSync(SMALL, { windowBits })[0] ?? 0) >> 4, windowBits - 8);
    },
  },
  {
    name: 'the gzip header has no time and no name, and the operating system of the platform',
    run(zlib) {
      const header = zlib.gzipSync(SMALL).subarray(0, 10);
      assert.deepEqual([...header.subarray(0, 9)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0]);
      assert.equal(zlib.gzipSync(SMALL, { level: 9 })[8], 2);
      assert.equal(zlib.gzipSync(SMALL, { level: 1 })[8], 4);
    },
  },
  {
    name: 'the zlib header tells the level',
    run(zlib) {
      const flags = [1, 5, 6, 9].map((level) => zlib.deflateSync(SMALL, { level })[1]);
      assert.deepEqual(flags, [0x01, 0x5e, 0x9c, 0xda]);
    },
  },
  {
    name: 'the gzip trailer is CRC-32 and length',
    run(zlib) {
      const packed = zlib.gzipSync(TEXT);
      assert.equal(packed.readUInt32LE(packed.length - 8), zlib.crc32(TEXT));
      assert.equal(packed.readUInt32LE(packed.length - 4), TEXT.length);
    },
  },
  {
    name: 'a preset dictionary makes short data shorter and is needed to read it',
    run(zlib) {
      const dictionary = SMALL;
      const packed = zlib.deflateSync(SMALL, { dictionary });
      assert.ok(packed.length < zlib.deflateSync(SMALL).length / 2);
      assert.ok(zlib.inflateSync(packed, { dictionary }).equals(SMALL));
      const raw = zlib.deflateRawSync(SMALL, { dictionary });
      assert.ok(zlib.inflateRawSync(raw, { dictionary }).equals(SMALL));
    },
  },
  {
    name: 'finishFlush Z_SYNC_FLUSH makes a piece that others can follow',
    run(zlib) {
      const { Z_SYNC_FLUSH } = zlib.constants;
      const head = zlib.deflateRawSync('one ', { finishFlush: Z_SYNC_FLUSH });
      const tail = zlib.deflateRawSync('two');
      assert.equal(zlib.inflateRawSync(Buffer.concat([head, tail])).toString(), 'one two');
    },
  },
  {
    name: 'finishFlush Z_SYNC_FLUSH gives what truncated data still holds',
    run(zlib) {
      const packed = zlib.gzipSync(TEXT);
      const finishFlush = zlib.constants.Z_SYNC_FLUSH;
      const part = zlib.gunzipSync(packed.subarray(0, packed.length / 2), { finishFlush });
      assert.ok(part.length > TEXT.length / 4 && TEXT.subarray(0, part.length).equals(part));
    },
  },
  {
    name: 'info: true gives the buffer and the engine, which counts the input',
    async run(zlib) {
      const isInfo = (result: unknown) => result as { buffer: Buffer; engine: { bytesWritten: number } };
      const packed = isInfo(zlib.gzipSync(SMALL, { info: true }));
      assert.equal(packed.engine.bytesWritten, SMALL.length);
      const { buffer, engine } = isInfo(zlib.gunzipSync(packed.buffer, { info: true }));
      assert.ok(buffer.equals(SMALL));
      assert.equal(engine.bytesWritten, packed.buffer.length);
      const late = await called<unknown>((done) =>
        zlib.inflate(zlib.deflateSync(SMALL), { info: true }, done),
      );
      assert.ok(isInfo(late).buffer.equals(SMALL));
    },
  },
  {
    name: 'info: true tells where data ends that something follows',
    run(zlib) {
      const packed = zlib.deflateSync(SMALL);
      const both = Buffer.concat([packed, Buffer.from('what follows')]);
      const { engine } = zlib.inflateSync(both, { info: true }) as unknown as {
        engine: { bytesWritten: number };
      };
      assert.equal(engine.bytesWritten, packed.length);
    },
  },
  {
    name: 'maxOutputLength that is met exactly is no error',
    run(zlib) {
      const maxOutputLength = TEXT.length;
      assert.ok(zlib.gunzipSync(zlib.gzipSync(TEXT), { maxOutputLength }).equals(TEXT));
      assert.ok(zlib.inflateSync(zlib.deflateSync(TEXT), { maxOutputLength: kMaxLength }).equals(TEXT));
    },
  },
  {
    name: 'members one behind the other come out joined',
    run(zlib) {
      const joined = Buffer.concat([zlib.gzipSync('abc'), zlib.gzipSync(TEXT), zlib.gzipSync('')]);
      const expected = Buffer.concat([Buffer.from('abc'), TEXT]);
      assert.ok(zlib.gunzipSync(joined).equals(expected));
      assert.ok(zlib.unzipSync(joined).equals(expected));
    },
  },
  {
    name: 'zeros behind a gzip member are padding',
    run(zlib) {
      const padded = Buffer.concat([zlib.gzipSync('abc'), zlib.gzipSync('def'), Buffer.alloc(10)]);
      assert.equal(zlib.gunzipSync(padded).toString(), 'abcdef');
    },
  },
  {
    name: 'anything behind zlib or raw data is ignored',
    run(zlib) {
      const junk = Buffer.from('junk');
      assert.equal(zlib.inflateSync(Buffer.concat([zlib.deflateSync('abc'), junk])).toString(), 'abc');
      assert.equal(zlib.inflateRawSync(Buffer.concat([zlib.deflateRawSync('abc'), junk])).toString(), 'abc');
    },
  },
  {
    name: 'gzip headers with name, comment, extra field and header checksum are read',
    run(zlib) {
      const body = zlib.gzipSync(SMALL).subarray(10);
      const fields = Buffer.concat([
        Buffer.from([0x1f, 0x8b, 8, 0x1e, 1, 2, 3, 4, 0, 3, 3, 0]),
        Buffer.from('xyzname\0comment\0'),
      ]);
      const check = Buffer.alloc(2);
      check.writeUInt16LE(zlib.crc32(fields) & 0xffff);
      assert.ok(zlib.gunzipSync(Buffer.concat([fields, check, body])).equals(SMALL));
    },
  },
  {
    name: 'crc32 takes strings, bytes and a value to go on from',
    run(zlib) {
      assert.equal(zlib.crc32('hello world'), 0x0d4a1185);
      assert.equal(zlib.crc32('world', zlib.crc32('hello ')), zlib.crc32(Buffer.from('hello world')));
    },
  },
  {
    name: 'a hundred calls at once all call back',
    async run(zlib) {
      const datas = Array.from({ length: 100 }, (_, i) => TEXT.subarray(0, i * 3000));
      const all = await Promise.all(datas.map((data) => called<Buffer>((done) => zlib.gzip(data, done))));
      assert.ok(all.every((packed, i) => zlib.gunzipSync(packed).equals(datas[i] ?? SMALL)));
    },
  },
  {
    name: 'timers run while a large buffer is compressed',
    async run(zlib: Zlib) {
      const large = Buffer.concat(Array.from({ length: 20 }, () => TEXT));
      let ticks = 0;
      const ticker = setInterval(() => ticks++, 1);
      await called<Buffer>((done) => zlib.gzip(large, { level: 9 }, done));
      clearInterval(ticker);
      assert.ok(ticks > 2);
    },
  },
  {
    name: 'Brotli works',
    run(zlib) {
      assert.ok(zlib.brotliDecompressSync(zlib.brotliCompressSync(SMALL)).equals(SMALL));
    },
  },
];
