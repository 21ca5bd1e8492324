import assert from 'node:assert/strict';
import * as node from 'node:zlib';
import { type Behaviour, failure, fieldsOf, SMALL, TEXT, type Zlib } from './behaviour.ts';

const gz = node.gzipSync(SMALL);
const z = node.deflateSync(SMALL);

const changed = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at < 0 ? bytes.length + at : at] = value;
  return copy;
};
const flipped = (bytes: Buffer, at: number): Buffer => changed(bytes, at, (bytes.at(at) ?? 0) ^ 0x55);
const raw = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** Input, the function that refuses it, and zlib's words. */
const refused: [string, (zlib: Zlib) => unknown, string, string][] = [
  ['text as gzip', (zlib) => zlib.gunzipSync(SMALL), 'Z_DATA_ERROR', 'incorrect header check'],
  ['text as zlib', (zlib) => zlib.inflateSync(SMALL), 'Z_DATA_ERROR', 'incorrect header check'],
  ['text as either', (zlib) => zlib.unzipSync(SMALL), 'Z_DATA_ERROR', 'incorrect header check'],
  [
    'another gzip method',
    (zlib) => zlib.gunzipSync(changed(gz, 2, 7)),
    'Z_DATA_ERROR',
    'unknown compression method',
  ],
  [
    'unknown gzip flags',
    (zlib) => zlib.gunzipSync(changed(gz, 3, 0x80)),
    'Z_DATA_ERROR',
    'unknown header flags set',
  ],
  ['a wrong CRC-32', (zlib) => zlib.gunzipSync(flipped(gz, -8)), 'Z_DATA_ERROR', 'incorrect data check'],
  ['a wrong length', (zlib) => zlib.gunzipSync(flipped(gz, -1)), 'Z_DATA_ERROR', 'incorrect length check'],
  ['a wrong Adler-32', (zlib) => zlib.inflateSync(flipped(z, -1)), 'Z_DATA_ERROR', 'incorrect data check'],
  [
    'a missing dictionary',
    (zlib) => zlib.inflateSync(node.deflateSync(SMALL, { dictionary: SMALL })),
    'Z_NEED_DICT',
    'Missing dictionary',
  ],
  ['block type 3', (zlib) => zlib.inflateRawSync(raw('07')), 'Z_DATA_ERROR', 'invalid block type'],
  [
    'a stored block whose lengths differ',
    (zlib) => zlib.inflateRawSync(raw('0100000000')),
    'Z_DATA_ERROR',
    'invalid stored block lengths',
  ],
  [
    'a distance before the start',
    (zlib) => zlib.inflateRawSync(raw('03020000000000')),
    'Z_DATA_ERROR',
    'invalid distance too far back',
  ],
  [
    'too many codes',
    (zlib) => zlib.inflateRawSync(raw('fc00000000000000')),
    'Z_DATA_ERROR',
    'too many length or distance symbols',
  ],
  [
    'an impossible code length code',
    (zlib) => zlib.inflateRawSync(raw('aca3171b035efc13b21330d0')),
    'Z_DATA_ERROR',
    'invalid code lengths set',
  ],
  ['nothing as gzip', (zlib) => zlib.gunzipSync(''), 'Z_BUF_ERROR', 'unexpected end of file'],
  ['nothing as raw data', (zlib) => zlib.inflateRawSync(''), 'Z_BUF_ERROR', 'unexpected end of file'],
  [
    'half a gzip header',
    (zlib) => zlib.gunzipSync(gz.subarray(0, 5)),
    'Z_BUF_ERROR',
    'unexpected end of file',
  ],
  [
    'a gzip member without its trailer',
    (zlib) => zlib.gunzipSync(gz.subarray(0, -8)),
    'Z_BUF_ERROR',
    'unexpected end of file',
  ],
  [
    'half of a zlib stream',
    (zlib) => zlib.inflateSync(z.subarray(0, 100)),
    'Z_BUF_ERROR',
    'unexpected end of file',
  ],
  [
    'a second member that is cut',
    (zlib) => zlib.gunzipSync(Buffer.concat([gz, gz.subarray(0, 40)])),
    'Z_BUF_ERROR',
    'unexpected end of file',
  ],
  [
    'text behind a gzip member',
    (zlib) => zlib.gunzipSync(Buffer.concat([gz, SMALL])),
    'Z_DATA_ERROR',
    'incorrect header check',
  ],
  [
    'a false header behind a member',
    (zlib) => zlib.gunzipSync(Buffer.concat([gz, raw('1f8bffff'), Buffer.alloc(10)])),
    'Z_DATA_ERROR',
    'unknown compression method',
  ],
];

const ERRNO: Record<string, number> = { Z_DATA_ERROR: -3, Z_BUF_ERROR: -5, Z_NEED_DICT: 2 };

/** Calls that are refused before any work: both must say the same, so node:zlib is the expectation. */
const misuse: [string, (zlib: Zlib) => unknown][] = [
  ['level 10', (zlib) => zlib.createGzip({ level: 10 })],
  ['level "high"', (zlib) => zlib.gzipSync(SMALL, { level: 'high' as unknown as number })],
  [
    'level 1.5 is taken',
    (zlib) => assert.fail(String(zlib.gunzipSync(zlib.gzipSync(SMALL, { level: 1.5 })).length)),
  ],
  ['windowBits 16', (zlib) => zlib.createDeflate({ windowBits: 16 })],
  ['windowBits 8 for gzip', (zlib) => zlib.createGzip({ windowBits: 8 })],
  ['memLevel 0', (zlib) => zlib.createDeflate({ memLevel: 0 })],
  ['strategy 9', (zlib) => zlib.createDeflateRaw({ strategy: 9 })],
  ['flush 9', (zlib) => zlib.createGzip({ flush: 9 })],
  ['finishFlush -1', (zlib) => zlib.createGunzip({ finishFlush: -1 })],
  ['chunkSize 1', (zlib) => zlib.createInflate({ chunkSize: 1 })],
  ['chunkSize Infinity', (zlib) => zlib.createGzip({ chunkSize: Number.POSITIVE_INFINITY })],
  ['maxOutputLength 0', (zlib) => zlib.gunzipSync(gz, { maxOutputLength: 0 })],
  ['dictionary of a number', (zlib) => zlib.createDeflate({ dictionary: 5 as unknown as Buffer })],
  ['a number as data', (zlib) => zlib.gzipSync(5 as unknown as Buffer)],
  ['undefined as data', (zlib) => zlib.gunzipSync(undefined as unknown as Buffer)],
  ['an object as data', (zlib) => zlib.deflateSync({} as unknown as Buffer)],
  ['a callback that is no function', (zlib) => zlib.gzip(SMALL, {}, 'later' as unknown as () => void)],
  ['a number as data of a callback', (zlib) => zlib.gzip(5 as unknown as Buffer, () => {})],
  ['params of level 20', (zlib) => zlib.createDeflate().params(20, 0, () => {})],
  ['writing null', (zlib) => zlib.createGzip().write(null)],
  ['writing a number', (zlib) => zlib.createGzip().write(7)],
];

export const ERRORS: Behaviour[] = [
  ...refused.map(
    ([name, action, code, message]): Behaviour => ({
      name: `refuses ${name}: ${message}`,
      run(zlib) {
        assert.deepEqual(
          failure(() => action(zlib)),
          { name: 'Error', message, code, errno: ERRNO[code] },
        );
      },
    }),
  ),
  ...misuse.map(
    ([name, action]): Behaviour => ({
      name: `misuse is refused in node's words: ${name}`,
      run(zlib) {
        assert.deepEqual(
          failure(() => action(zlib)),
          failure(() => action(node)),
        );
      },
    }),
  ),
  {
    name: 'more than maxOutputLength is ERR_BUFFER_TOO_LARGE, for one-shots of both directions',
    async run(zlib) {
      const expected = {
        name: 'RangeError',
        message: 'Cannot create a Buffer larger than 100 bytes',
        code: 'ERR_BUFFER_TOO_LARGE',
        errno: undefined,
      };
      const options = { maxOutputLength: 100 };
      assert.deepEqual(
        failure(() => zlib.gunzipSync(gz, options)),
        expected,
      );
      assert.deepEqual(
        failure(() => zlib.gzipSync(TEXT, options)),
        expected,
      );
      const late = await new Promise<Error | null>((resolve) => zlib.gunzip(gz, options, resolve));
      assert.deepEqual(late && fieldsOf(late), expected);
    },
  },
  {
    name: 'one-shots with a callback call back with the error',
    async run(zlib) {
      const error = await new Promise<Error | null>((resolve) => zlib.gunzip(SMALL, resolve));
      assert.deepEqual(error && fieldsOf(error), {
        name: 'Error',
        message: 'incorrect header check',
        code: 'Z_DATA_ERROR',
        errno: -3,
      });
    },
  },
];
