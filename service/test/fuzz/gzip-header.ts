/**
 * Mutated gzip, zlib and raw containers at odd chunkings through the codec, against node:zlib's verdict and bytes.
 * Input: format (byte 0, bit 7: sound data follows the input, so that it is a header alone), chunk size (byte 1, 0 =
 * whole), the stream.
 *
 * The two differ on purpose behind the end of the data only, and `expected` models that:
 * - node:zlib ignores what follows a zlib or raw stream, or the zero padding of a gzip member; the service refuses it:
 *   bytes that nobody can read must not vanish unseen.
 * - Behind zero padding the service goes on with a further gzip member, as gzip(1) does; node:zlib stops there.
 * And they may give different reasons to refuse an input that ends too early and is wrong as well: the service judges
 * each byte of a header as it comes, node:zlib two bytes; of a gzip trailer node:zlib judges the first half alone.
 */
import { Readable } from 'node:stream';
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Format } from '../../../shared/src/format.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { detectFormat } from '../../src/codec/container.ts';
import { createHost, type Host } from '../../src/host.ts';
import { silentLog } from '../../src/platform/log.ts';
import { expect, type FuzzTarget, shown } from './target.ts';

const FORMATS = ['gzip', 'zlib', 'deflate', 'auto'] as const;
const OUTPUT_LIMIT = 1 << 20;

interface Verdict {
  verdict: 'ok' | 'truncated' | 'corrupt' | 'too-large';
  bytes: Buffer;
  /** Why it is refused. */
  reason: string;
}

const DECODERS = { gzip: gunzipSync, zlib: inflateSync, deflate: inflateRawSync };
const NOTHING = Buffer.alloc(0);
/** Nobody can tell the format of less than two bytes. */
const TOO_SHORT: Verdict = { verdict: 'truncated', bytes: NOTHING, reason: 'no format' };
const GZIP_TAIL = gzipSync('sound data').subarray(10);
const ZLIB_TAIL = deflateSync('sound data').subarray(2);
const HEADER_REASON = /header|method|flags|window|dictionary/;
const TRAILER_REASON = /incorrect (data|length) check/;

/** What the service should say, from what node:zlib says. */
function expected(format: Format, stream: Uint8Array): Verdict {
  let decoded: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    const options = { maxOutputLength: OUTPUT_LIMIT, info: true };
    decoded = DECODERS[format](stream, options) as unknown as typeof decoded;
  } catch (error) {
    const { code, message: reason } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return { verdict: 'too-large', bytes: NOTHING, reason };
    return { verdict: code === 'Z_BUF_ERROR' ? 'truncated' : 'corrupt', bytes: NOTHING, reason };
  }
  const bytes = decoded.buffer;
  const rest = stream.subarray(decoded.engine.bytesWritten);
  if (rest.length === 0) return { verdict: 'ok', bytes, reason: '' };
  if (format !== 'gzip') return { verdict: 'corrupt', bytes, reason: 'bytes follow' };
  const next = rest.findIndex((byte) => byte !== 0);
  if (next === -1) return { verdict: 'ok', bytes, reason: '' };
  const more = expected('gzip', rest.subarray(next));
  return { ...more, bytes: Buffer.concat([bytes, more.bytes]) };
}

async function ours(
  host: Host,
  format: Format | 'auto',
  stream: Uint8Array,
  chunk: number,
): Promise<Verdict> {
  const decoder = host.codec.decompressStream({ format, maxOutputBytes: OUTPUT_LIMIT });
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += chunk) chunks.push(stream.subarray(at, at + chunk));
  const parts: Buffer[] = [];
  try {
    for await (const part of Readable.from(chunks)
      .on('error', () => {})
      .compose(decoder))
      parts.push(part as Buffer);
    return { verdict: 'ok', bytes: Buffer.concat(parts), reason: '' };
  } catch (error) {
    if (!(error instanceof WarpDriveError)) throw error;
    const verdict = VERDICTS[error.code];
    expect(verdict !== undefined, () => `${error.code}: ${error.message}`);
    return { verdict, bytes: Buffer.concat(parts), reason: error.message };
  }
}

const VERDICTS: Record<string, Verdict['verdict']> = {
  WD_E_INPUT_CORRUPT: 'corrupt',
  WD_E_INPUT_TRUNCATED: 'truncated',
  WD_E_LIMIT_OUTPUT: 'too-large',
};

/** Both refuse, at another byte of what is incomplete and wrong as well. */
function refuseElsewhere(theirs: Verdict, own: Verdict): boolean {
  if (own.verdict === 'corrupt' && theirs.verdict === 'truncated') return HEADER_REASON.test(own.reason);
  return own.verdict === 'truncated' && theirs.verdict === 'corrupt' && TRAILER_REASON.test(theirs.reason);
}

const input = (format: number, chunk: number, ...parts: Uint8Array[]): Uint8Array =>
  Buffer.concat([Buffer.of(format, chunk), ...parts]);

/** A gzip member with every optional field (RFC 1952 2.3). */
function fullHeader(): Buffer {
  const fields = [0x1f, 0x8b, 8, 0x1d, 1, 2, 3, 4, 2, 3, 6, 0, 0x41, 0x70, 2, 0, 9, 9];
  const header = Buffer.concat([Buffer.from(fields), Buffer.from('name.txt\0'), Buffer.from('a comment\0')]);
  return Buffer.concat([header, gzipSync('after a full header').subarray(10)]);
}

export const gzipHeader: FuzzTarget = {
  name: 'gzip-header',
  width: 1,
  maxBytes: 4096,
  dictionary: [
    Buffer.from([0x1f, 0x8b, 8]),
    Buffer.from([0x1f, 0x8b, 8, 2]),
    Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 0xff, 0xff]),
    Buffer.from([0x78, 0x9c]),
    Buffer.from([0x78, 0xbb]),
    Buffer.from([0x03, 0x00]),
    Buffer.from([0, 0, 0xff, 0xff]),
    Buffer.alloc(12),
    gzipSync('m'),
    deflateSync('m'),
  ],
  seeds: () => [
    input(0x80, 0, Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])),
    input(0x83, 4, fullHeader().subarray(0, 37)),
    input(0x81, 1, Buffer.from([0x78, 0x9c])),
    input(0, 0, gzipSync('one member, in one piece')),
    input(0, 1, gzipSync('first'), gzipSync('second'), Buffer.alloc(5)),
    input(3, 3, gzipSync('padded'), Buffer.alloc(3), gzipSync('and on')),
    input(0, 2, fullHeader()),
    input(1, 0, deflateSync('zlib'.repeat(50))),
    input(3, 1, deflateSync('found out by its first bytes')),
    input(2, 5, deflateRawSync('raw'.repeat(300))),
    input(3, 0, deflateRawSync(Buffer.from([1, 2, 3]))),
    input(1, 0, deflateSync('a dictionary that nobody has', { dictionary: Buffer.from('dictionary') })),
  ],
  async open() {
    const host = await createHost({ mode: 'sva', core: 'wasm', cores: 0, queues: 2 }, silentLog);
    return {
      async run(bytes) {
        const asked = FORMATS[(bytes[0] ?? 0) % 4] ?? 'gzip';
        const given = bytes.subarray(2);
        const isHeader = (bytes[0] ?? 0) >= 0x80;
        const stream = isHeader ? Buffer.concat([given, asked === 'zlib' ? ZLIB_TAIL : GZIP_TAIL]) : given;
        const format = asked === 'auto' ? detectFormat(stream) : asked;
        const theirs = format ? expected(format, stream) : TOO_SHORT;
        const own = await ours(host, asked, stream, bytes[1] || stream.length || 1);
        const { verdict } = own;
        if (theirs.verdict === 'too-large' || verdict === 'too-large') return 'too-large';
        if (refuseElsewhere(theirs, own)) return 'refused';
        const where = (): string => `${asked} ${shown(stream)}, "${own.reason}" and "${theirs.reason}"`;
        expect(verdict === theirs.verdict, () => `${verdict}, node:zlib ${theirs.verdict}: ${where()}`);
        expect(verdict !== 'ok' || own.bytes.equals(theirs.bytes), () => `other bytes: ${where()}`);
        return verdict;
      },
      close: () => host.close(),
    };
  },
};
