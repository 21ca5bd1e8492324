import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { jsonLines, mixed, noise } from '../../../test/support/corpus.ts';
import { ENGINE_CORES, EngineRig, newWords } from '../../../test/support/engine-rig.ts';
import { inflateWithDistances } from '../../../test/support/inflate-distances.ts';
import type { ChecksumKind } from '../deflate/core.ts';

const rig = new EngineRig();
const HEADERS: Record<ChecksumKind, Buffer> = {
  none: Buffer.alloc(0),
  crc32: Buffer.from('1f8b08000000000000ff', 'hex'),
  adler32: Buffer.from('789c', 'hex'),
};
const unpack = (kind: ChecksumKind, data: Buffer): Buffer => {
  const member = Buffer.concat([HEADERS[kind], data]);
  return kind === 'none'
    ? inflateRawSync(member)
    : kind === 'crc32'
      ? gunzipSync(member)
      : inflateSync(member);
};

interface Choices {
  /** Next input size, room, core and so on; each called once a job. */
  inputSize(): number;
  room(): number;
  core(): (typeof ENGINE_CORES)[number];
  level(): number;
  pieces?(): number;
  windowBytes?: number;
  checksum: ChecksumKind;
}

/** Compresses `input` as one stateful stream, each job with its own choices; resumes whatever was left. */
function compressInJobs(input: Buffer, choices: Choices, context = 0) {
  const words = newWords();
  const parts: Buffer[] = [];
  let at = 0;
  for (let jobs = 1; ; jobs++) {
    assert.ok(jobs < 20_000, 'the stream makes progress');
    const piece = input.subarray(at, at + choices.inputSize());
    const isFinal = at + piece.length === input.length;
    const { result, output } = rig.run(
      'compress',
      piece,
      {
        core: choices.core(),
        level: choices.level(),
        room: choices.room(),
        pieces: choices.pieces?.() ?? 1,
        windowBytes: choices.windowBytes ?? 32768,
        checksum: choices.checksum,
        isFinal,
      },
      { words, context },
    );
    assert.ok(result.status === 0x00 || result.status === 0x0d, `status ${result.status}`);
    assert.equal(result.ctxDw2, Math.min(32768, at + result.consumed), 'window length word');
    at += result.consumed;
    parts.push(output);
    if (result.isLastBlock) return { data: Buffer.concat(parts), words, jobs, consumed: at };
    if (isFinal && result.consumed === piece.length)
      assert.equal(result.ctxDw0 & 0xf, 1, 'output is pending');
  }
}

const payload = fc
  .tuple(fc.integer({ min: 0, max: 90_000 }), fc.nat(), fc.constantFrom(jsonLines, mixed, noise))
  .map(([bytes, seed, make]) => make(bytes, seed));

describe('stateful compression', () => {
  it('makes one stream that node:zlib inflates, at every cut, room, level, format and core', () => {
    fc.assert(
      fc.property(
        payload,
        fc.constantFrom<ChecksumKind>('none', 'crc32', 'adler32'),
        fc.infiniteStream(fc.integer({ min: 0, max: 40_000 })),
        fc.infiniteStream(fc.integer({ min: 200, max: 30_000 })),
        fc.infiniteStream(fc.constantFrom(...ENGINE_CORES)),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        fc.integer({ min: 1, max: 3 }),
        (input, checksum, sizes, rooms, cores, levels, pieces) => {
          const { data, words } = compressInJobs(input, {
            checksum,
            inputSize: () => sizes.next().value ?? 1,
            room: () => rooms.next().value ?? 200,
            core: () => cores.next().value ?? 'wasm',
            level: () => levels.next().value ?? 1,
            pieces: () => pieces,
          });
          assert.ok(unpack(checksum, data).equals(input));
          assert.equal(words.isize, input.length);
          if (checksum === 'crc32') assert.equal(words.checksum, crc32(input));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds matches in what earlier jobs compressed', () => {
    const input = jsonLines(40_000);
    for (const core of ENGINE_CORES)
      for (const level of [1, 3, 4, 6, 9]) {
        const sizes = { inputSize: () => 200, room: () => 4096, core: () => core, level: () => level };
        const { data } = compressInJobs(input, { ...sizes, checksum: 'none' });
        let stateless = 0;
        for (let at = 0; at < input.length; at += 200)
          stateless += rig.run('compress', input.subarray(at, at + 200), { core, level, isFinal: false })
            .result.produced;
        assert.ok(data.length < stateless * 0.75, `${core} level ${level}: ${data.length} of ${stateless}`);
      }
  });

  it('keeps two streams apart that take turns on the same cores', () => {
    const texts = [jsonLines(20_000, 5), mixed(20_000, 6)];
    const streams = texts.map((text, context) => ({ text, context, words: newWords(), out: [] as Buffer[] }));
    for (let turn = 0; turn < 20; turn++)
      for (const { text, context, words, out } of streams) {
        const core = ENGINE_CORES[turn % ENGINE_CORES.length] ?? 'wasm';
        const piece = text.subarray(turn * 1000, (turn + 1) * 1000);
        out.push(rig.run('compress', piece, { core, isFinal: turn === 19 }, { words, context }).output);
      }
    for (const { text, out } of streams) assert.ok(inflateRawSync(Buffer.concat(out)).equals(text));
  });

  it('refers to nothing of a stream whose newest bytes are all that another one has behind it', () => {
    const secret = jsonLines(20_000, 9);
    const shared = Buffer.from('the same bytes in both of them');
    for (const level of [1, 6, 9]) {
      const [first, second] = [0, 1].map((context) => ({ context, words: newWords() }));
      const options = { core: 'wasm', level, isFinal: false } as const;
      const out = [rig.run('compress', shared, options, first).output];
      for (const piece of [secret, shared]) rig.run('compress', piece, options, second);
      const copy = secret.subarray(10_000, 13_000); // would be one match of the other stream
      out.push(rig.run('compress', copy, { ...options, isFinal: true }, first).output);
      assert.ok(inflateRawSync(Buffer.concat(out)).equals(Buffer.concat([shared, copy])));
    }
  });

  it('ends an empty stream, and a stream whose last job brings no input', () => {
    for (const input of [Buffer.alloc(0), jsonLines(5000)]) {
      const words = newWords();
      const first = rig.run('compress', input, { checksum: 'crc32', isFinal: false }, { words });
      const last = rig.run('compress', Buffer.alloc(0), { checksum: 'crc32' }, { words });
      assert.equal(last.result.isLastBlock, true);
      assert.ok(unpack('crc32', Buffer.concat([first.output, last.output])).equals(input));
    }
  });

  it('refuses a context that no compress stream left, and input after the end', () => {
    const words = { ...newWords(), isNew: false };
    rig.memory.view(rig.contexts[2] ?? rig.contexts[0]!, 65536).fill(0x5a);
    assert.equal(rig.run('compress', Buffer.from('x'), {}, { words, context: 2 }).result.status, 0x02);
    const ended = newWords();
    rig.run('compress', Buffer.from('x'), {}, { words: ended });
    assert.equal(rig.run('compress', Buffer.from('x'), {}, { words: ended }).result.status, 0x02);
  });

  it('survives any change of its context by the client', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(65535), fc.nat(255)), { minLength: 1, maxLength: 40 }),
        (changes) => {
          const words = newWords();
          rig.run('compress', jsonLines(50_000), { isFinal: false, room: 300 }, { words });
          const context = rig.memory.view(rig.contexts[0]!, 65536);
          for (const [at, value] of changes) context[at % 2 === 0 ? at : at % 90] = value;
          const { result } = rig.run('compress', jsonLines(3000), { room: 100_000 }, { words });
          assert.ok([0x00, 0x0d, 0x02].includes(result.status));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('windows', () => {
  const block = noise(3000, 9);
  /** The same noise at growing distances, up to 60 KB apart. */
  const input = Buffer.concat(
    [1, 2, 3, 4, 5, 6, 7].flatMap((gap) => [block, noise(gap * 3400, gap)]).concat(block),
  );

  for (const windowBytes of [4096, 8192, 16384, 24576, 32768])
    it(`of ${windowBytes} bytes: no match reaches further, in one job and over jobs`, () => {
      for (const core of ENGINE_CORES)
        for (const level of [1, 3, 6, 9]) {
          const whole = rig.run('compress', input, { core, level, windowBytes });
          const inJobs = compressInJobs(input, {
            checksum: 'none',
            inputSize: () => 2500,
            room: () => 10_000,
            core: () => core,
            level: () => level,
            windowBytes,
          });
          for (const data of [whole.output, inJobs.data]) {
            const { output, farthest } = inflateWithDistances(data);
            assert.ok(output.equals(input));
            assert.ok(farthest <= windowBytes, `${core} level ${level}: ${farthest}`);
            const windowBits = Math.log2(windowBytes);
            if (Number.isInteger(windowBits))
              assert.ok(inflateRawSync(data, { windowBits }).equals(input), 'node:zlib with this window');
          }
        }
    });

  it('are used: a larger one finds what a smaller cannot', () => {
    for (const core of ['wasm', 'zlib'] as const) {
      const sizes = [4096, 8192, 16384, 24576, 32768].map(
        (windowBytes) => rig.run('compress', input, { core, windowBytes }).output.length,
      );
      for (let i = 1; i < sizes.length; i++) assert.ok(sizes[i]! <= sizes[i - 1]!, sizes.join(' '));
      assert.ok(sizes[4]! < sizes[0]! * 0.97, sizes.join(' '));
    }
  });

  it('of a decompress job refuse data that reaches further with 0x03, and take data that does not', () => {
    for (const core of ENGINE_CORES)
      for (const made of [4096, 8192, 16384, 24576, 32768])
        for (const allowed of [4096, 8192, 16384, 24576, 32768]) {
          const { output } = rig.run('compress', input, { level: 9, windowBytes: made });
          const { farthest } = inflateWithDistances(output);
          for (const stream of [undefined, { words: newWords() }]) {
            const { result, output: back } = rig.run(
              'decompress',
              output,
              { core, windowBytes: allowed },
              stream,
            );
            if (farthest > allowed) assert.equal(result.status, 0x03, `${core} ${made} ${allowed}`);
            else {
              assert.equal(result.status, 0x13, `${core} ${made} ${allowed}`);
              assert.ok(back.equals(input));
            }
          }
        }
  });
});
