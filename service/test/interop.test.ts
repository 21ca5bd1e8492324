import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { FORMATS, type Format } from '../../shared/src/format.ts';
import { createHost } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, send, sendWhole, slices } from './http-client.ts';
import { encoders } from './http-oracle.ts';
import { serviceOn } from './http-service.ts';

/** One body in one job, one of several jobs, nothing, and what does not compress. */
const BODIES: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  small: jsonText(5000),
  large: jsonText(700_000),
  random: noise(300_000),
};
const LEVELS = [1, 9];

let service: RunningService;
let folder: string;
before(async () => {
  const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
  service = await serviceOn(host);
  folder = mkdtempSync(join(tmpdir(), 'warpdrive-interop-'));
});
after(async () => {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
});

function noise(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let state = 88_172_645;
  for (let i = 0; i < bytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    buffer[i] = state;
  }
  return buffer;
}

/** A program of this machine: bytes in, bytes out; fails with what it said. */
function pipe(command: string, args: string[], input: Uint8Array): Promise<Buffer> {
  const child = spawn(command, args, { cwd: folder });
  const out: Buffer[] = [];
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(Buffer.concat(out)) : reject(new Error(`${command} ended with ${code}: ${said}`)),
    );
  });
}

const missing = (command: string): string | false => {
  const isThere = (process.env['PATH'] ?? '').split(delimiter).some((path) => {
    try {
      accessSync(join(path, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return isThere ? false : `${command} is not installed`;
};

const compressed = async (format: Format, level: number, body: Buffer): Promise<Buffer> => {
  const url = `${service.url}/v1/compress?format=${format}&level=${level}`;
  const answer = await send(url, { chunks: slices(body, 100_000) });
  assert.equal(answer.status, 200);
  return answer.body;
};
const decompressed = async (format: Format | 'auto', product: Buffer): Promise<Buffer> => {
  const answer = await sendWhole(`${service.url}/v1/decompress?format=${format}`, product);
  assert.equal(answer.status, 200, answer.body.subarray(0, 300).toString());
  return answer.body;
};

/** Whatever decodes reads all that the service makes in the format. */
async function decodes(format: Format, decode: (product: Buffer) => Promise<Buffer>): Promise<void> {
  const cases = Object.entries(BODIES).flatMap(([name, body]) =>
    LEVELS.map((level) => ({ name, body, level })),
  );
  await Promise.all(
    cases.map(async ({ name, body, level }) => {
      const back = await decode(await compressed(format, level, body));
      assert.ok(back.equals(body), `${name} at level ${level}`);
    }),
  );
}

/** The service reads whatever encodes in the format, named and detected. */
async function encodes(format: Format, encode: (body: Buffer) => Promise<Buffer>): Promise<void> {
  for (const [name, body] of Object.entries(BODIES)) {
    const product = await encode(body);
    for (const named of [format, 'auto'] as const)
      assert.ok((await decompressed(named, product)).equals(body), `${name}, ${named}`);
  }
}

/** Command lines that read and write gzip (pigz zlib, too) on standard streams. */
const FILTERS: { command: string; format: Format; decode: string[]; encode: string[][] }[] = [
  { command: 'gzip', format: 'gzip', decode: ['-dc'], encode: [['-1c'], ['-9c']] },
  {
    command: 'pigz',
    format: 'gzip',
    decode: ['-dc'],
    encode: [['-1c'], ['-9c'], ['-6c', '-b', '128', '-p', '4']],
  },
  { command: 'pigz', format: 'zlib', decode: ['-dzc'], encode: [['-6zc']] },
  { command: 'igzip', format: 'gzip', decode: ['-dc'], encode: [['-0c'], ['-3c']] },
];

for (const { command, format, decode, encode } of FILTERS)
  describe(`${command}, ${format}`, () => {
    const skip = missing(command);
    it('reads what the service makes', { skip }, () =>
      decodes(format, (product) => pipe(command, decode, product)),
    );
    it('makes what the service reads', { skip }, async () => {
      for (const args of encode) await encodes(format, (body) => pipe(command, args, body));
    });
  });

describe('Python', () => {
  const skip = missing('python3');
  const python = (expression: string, input: Buffer) =>
    pipe('python3', ['-c', `import sys, gzip, zlib; sys.stdout.buffer.write(${expression})`], input);
  const INPUT = 'sys.stdin.buffer.read()';
  it('gzip and zlib read what the service makes', { skip }, async () => {
    await decodes('gzip', (product) => python(`gzip.decompress(${INPUT})`, product));
    await decodes('zlib', (product) => python(`zlib.decompress(${INPUT})`, product));
    await decodes('deflate', (product) => python(`zlib.decompress(${INPUT}, -15)`, product));
  });
  it('gzip and zlib make what the service reads', { skip }, async () => {
    await encodes('gzip', (body) => python(`gzip.compress(${INPUT})`, body));
    await encodes('zlib', (body) => python(`zlib.compress(${INPUT}, 9)`, body));
    const raw = 'c = zlib.compressobj(6, zlib.DEFLATED, -15)';
    const make = (body: Buffer) =>
      pipe(
        'python3',
        ['-c', `import sys, zlib\n${raw}\nsys.stdout.buffer.write(c.compress(${INPUT}) + c.flush())`],
        body,
      );
    for (const body of Object.values(BODIES))
      assert.ok((await decompressed('deflate', await make(body))).equals(body));
  });
});

describe('curl', () => {
  const skip = missing('curl');
  const curl = (args: string[], input: Buffer) => pipe('curl', ['-sS', '--fail', ...args], input);
  it('sends a stream and gets the member, and sends the member and gets the stream', { skip }, async () => {
    for (const body of Object.values(BODIES)) {
      const product = await curl(['-T', '-', `${service.url}/v1/compress`], body);
      const back = await curl(['-T', '-', `${service.url}/v1/decompress`], product);
      assert.ok(back.equals(body));
    }
  });
  it('undoes the coding that it asked for, whole and flushed', { skip }, async () => {
    for (const [name, body] of Object.entries(BODIES))
      for (const flush of ['none', 'sync']) {
        const url = `${service.url}/v1/compress?as=coding&flush=${flush}`;
        const back = await curl(['--compressed', '-T', '-', url], body);
        assert.ok(back.equals(body), `${name}, flush=${flush}`);
      }
  });
  it('reads a file whole and learns of a refusal before it sends it', { skip }, async () => {
    writeFileSync(join(folder, 'body'), BODIES['large'] ?? '');
    const product = await curl(
      ['--data-binary', '@body', '-H', 'Expect: 100-continue', `${service.url}/v1/compress`],
      Buffer.alloc(0),
    );
    assert.ok((await decompressed('gzip', product)).equals(BODIES['large'] ?? Buffer.alloc(0)));
    const code = await pipe(
      'curl',
      [
        '-sS',
        '-o',
        'refused',
        '-w',
        '%{http_code} %{size_upload}',
        '-T',
        'body',
        '-H',
        'Expect: 100-continue',
      ].concat(`${service.url}/v1/compress?level=0`),
      Buffer.alloc(0),
    );
    assert.equal(code.toString(), '400 0');
  });
});

describe('fetch and web streams of Node', () => {
  const bodyOf = (bytes: Uint8Array) => ({ method: 'POST', body: new Uint8Array(bytes) });
  const through = async (bytes: Uint8Array, transform: ReadableWritablePair): Promise<Buffer> =>
    Buffer.from(
      await new Response(new Blob([new Uint8Array(bytes)]).stream().pipeThrough(transform)).arrayBuffer(),
    );
  const NAMES = { gzip: 'gzip', zlib: 'deflate', deflate: 'deflate-raw' } as const satisfies Record<
    Format,
    string
  >;

  it('DecompressionStream reads one member and no more', async () => {
    for (const format of FORMATS)
      await decodes(format, (product) => through(product, new DecompressionStream(NAMES[format])));
  });
  it('CompressionStream makes what the service reads', async () => {
    for (const format of FORMATS)
      await encodes(format, (body) => through(body, new CompressionStream(NAMES[format])));
  });
  it('fetch gets the product as a file and a coding undone, and streams both ways', async () => {
    const large = BODIES['large'] ?? Buffer.alloc(0);
    const product = await fetch(`${service.url}/v1/compress`, bodyOf(large));
    const file = Buffer.from(await product.arrayBuffer());
    assert.deepEqual([...file.subarray(0, 3)], [0x1f, 0x8b, 8]);
    const coding = await fetch(`${service.url}/v1/compress?as=coding`, bodyOf(large));
    assert.ok(Buffer.from(await coding.arrayBuffer()).equals(large));
    const duplex: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      body: Readable.toWeb(Readable.from(slices(file, 10_000))) as ReadableStream<Uint8Array<ArrayBuffer>>,
      duplex: 'half',
    };
    const back = await fetch(`${service.url}/v1/decompress`, duplex);
    assert.ok(Buffer.from(await back.arrayBuffer()).equals(large));
  });
  it('node:zlib and the service undo each other', async () => {
    for (const format of FORMATS) await encodes(format, async (body) => encoders[format](body));
  });
});

interface ReadableWritablePair {
  readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  writable: WritableStream<Uint8Array<ArrayBuffer> | ArrayBufferView<ArrayBuffer> | ArrayBuffer>;
}
