import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { constants, deflateRawSync, deflateSync, gzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { wasmMachine } from '../../../test/wasm-machine.ts';
import { INFLATE_CONTEXT_BYTES } from './core.ts';
import { createWasmCore, WASM_SCRATCH_BYTES, wasmModule, wasmModuleFile } from './wasm-core.ts';

const machine = wasmMachine(2);
const LEVELS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** Words, runs, copies from earlier and noise: what makes matches of every length and distance. */
const payload = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('text'), size: fc.integer({ min: 1, max: 400 }), seed: fc.nat() }),
      fc.record({ kind: fc.constant('run'), size: fc.integer({ min: 1, max: 700 }), seed: fc.nat() }),
      fc.record({ kind: fc.constant('noise'), size: fc.integer({ min: 1, max: 3000 }), seed: fc.nat() }),
      fc.record({ kind: fc.constant('copy'), size: fc.integer({ min: 1, max: 600 }), seed: fc.nat() }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => {
    const bytes: number[] = [];
    for (const { kind, size, seed } of parts) {
      let state = seed | 1;
      const next = (below: number): number => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return (state >>> 8) % below;
      };
      const from = next(Math.max(1, bytes.length));
      for (let i = 0; i < size; i++) {
        if (kind === 'text') bytes.push('the quick brown fox, {"id":1}\n'.charCodeAt(next(30)));
        else if (kind === 'run') bytes.push(seed & 255);
        else if (kind === 'noise') bytes.push(next(256));
        else bytes.push(bytes[from + i] ?? 0);
      }
    }
    return Buffer.from(bytes);
  });

const crc32 = (bytes: Uint8Array): number => gzipSync(bytes).readUInt32LE(gzipSync(bytes).length - 8);
const adler32 = (bytes: Uint8Array): number => {
  const stream = deflateSync(bytes);
  return stream.readUInt32BE(stream.length - 4);
};

/** Pseudo-random numbers for sizes inside one property run. */
function numbers(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 10) % below;
  };
}

describe('wasmModule', () => {
  it('imports its memory and nothing else, and carries no data that instances would share', () => {
    const file = readFileSync(wasmModuleFile());
    const imports = WebAssembly.Module.imports(wasmModule());
    assert.deepEqual(imports, [{ module: 'env', name: 'memory', kind: 'memory' }]);
    const sections: number[] = [];
    for (let at = 8; at < file.length; ) {
      sections.push(file[at++] ?? 0);
      let size = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = file[at++] ?? 0;
        size |= (byte & 127) << shift;
        if (byte < 128) break;
      }
      at += size;
    }
    const dataSection = 11;
    assert.ok(!sections.includes(dataSection));
  });
});

describe('createWasmCore', () => {
  it('refuses a scratch range that is too small, unaligned or outside the memory', () => {
    const memory = machine.memory;
    for (const scratch of [
      { offset: 0, bytes: WASM_SCRATCH_BYTES / 2 },
      { offset: 8, bytes: WASM_SCRATCH_BYTES },
      { offset: memory.buffer.byteLength - 64, bytes: WASM_SCRATCH_BYTES },
    ]) {
      assert.throws(() => createWasmCore({ memory, scratch }), { code: 'WD_E_EINVAL' });
    }
  });

  it('refuses a job whose ranges are not inside the memory', () => {
    const end = machine.memory.buffer.byteLength;
    const job = {
      checksum: 'none',
      checksumSeed: 0,
      source: { offset: end - 4, bytes: 5 },
      destination: { offset: 0x200000, bytes: 16 },
    } as const;
    const core = machine.cores[0];
    assert.throws(() => core?.deflate({ ...job, level: 1, windowBytes: 32768, isFinal: true }), {
      code: 'WD_E_EINVAL',
    });
    assert.throws(() => core?.inflate({ ...job, context: end - INFLATE_CONTEXT_BYTES, isNew: true }), {
      code: 'WD_E_EINVAL',
    });
  });
});

describe('WasmCore.deflate', () => {
  it('makes streams that node:zlib inflates to the input, at every level, final or flushed', () => {
    fc.assert(
      fc.property(payload, fc.constantFrom(...LEVELS), fc.boolean(), (input, level, isFinal) => {
        const { outcome, bytes } = machine.compress(input, { level, isFinal });
        assert.equal(outcome, 'done');
        if (!isFinal) assert.equal(bytes.subarray(-4).toString('hex'), '0000ffff');
        const finishFlush = isFinal ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
        assert.deepEqual(inflateRawSync(bytes, { finishFlush }), input);
      }),
      { numRuns: 150 },
    );
  });

  it('joins flushed jobs and a final one to one stream', () => {
    const parts = ['first part, first part', '', 'second part, second part', 'end'].map((text) =>
      Buffer.from(text),
    );
    const stream = Buffer.concat(
      parts.map((part, i) => machine.compress(part, { level: 1 + i, isFinal: i === 3 }).bytes),
    );
    assert.deepEqual(inflateRawSync(stream), Buffer.concat(parts));
  });

  it('answers output-full for one byte too few and done for the exact room', () => {
    fc.assert(
      fc.property(payload, fc.constantFrom(...LEVELS), fc.boolean(), (input, level, isFinal) => {
        const { produced } = machine.compress(input, { level, isFinal });
        assert.equal(machine.compress(input, { level, isFinal, capacity: produced }).outcome, 'done');
        const short = machine.compress(input, { level, isFinal, capacity: produced - 1 });
        assert.equal(short.outcome, 'output-full');
      }),
      { numRuns: 60 },
    );
  });

  it('never reaches back further than the window', () => {
    const block = Buffer.from(
      Array.from({ length: 5000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 127),
    );
    const input = Buffer.concat([block, block, block, block, block, block, block, block, block]);
    for (const level of LEVELS) {
      for (const [windowBytes, windowBits] of [
        [4096, 12],
        [8192, 13],
        [16384, 14],
        [32768, 15],
      ] as const) {
        const { bytes } = machine.compress(input, { level, windowBytes });
        assert.deepEqual(inflateRawSync(bytes, { windowBits }), input, `level ${level}, ${windowBytes}`);
      }
    }
  });

  it('stores random bytes at no more than 5 bytes for each begun 65535 and 5 more', () => {
    const next = numbers(99);
    for (const size of [1, 100, 1024, 4096, 65535, 65536, 300_000]) {
      const input = Buffer.from(Array.from({ length: size }, () => next(256)));
      for (const level of LEVELS) {
        const { bytes } = machine.compress(input, { level });
        assert.ok(bytes.length <= size + 5 * Math.ceil(size / 65535) + 5, `${size} → ${bytes.length}`);
        assert.deepEqual(inflateRawSync(bytes), input);
      }
    }
  });

  it('finds the copy of a random stretch again', () => {
    const next = numbers(5);
    const noise = Buffer.from(Array.from({ length: 20_000 }, () => next(256)));
    const input = Buffer.concat([noise, Buffer.from('odd'), noise]);
    for (const level of LEVELS) {
      const { bytes } = machine.compress(input, { level });
      assert.ok(bytes.length < 24_000, `level ${level}: ${bytes.length}`);
      assert.deepEqual(inflateRawSync(bytes), input);
    }
  });

  it('makes the same bytes whatever ran before', () => {
    const input = Buffer.from('a job is a function of its input, its input and its options. '.repeat(300));
    for (const level of LEVELS) {
      const first = machine.compress(input, { level }).bytes;
      machine.compress(Buffer.from(input).reverse(), { level });
      assert.deepEqual(machine.compress(input, { level }).bytes, first);
    }
  });

  it('continues CRC-32 and Adler-32 over jobs', () => {
    fc.assert(
      fc.property(payload, fc.nat(), (input, cut) => {
        const at = cut % (input.length + 1);
        for (const [checksum, seed, expected] of [
          ['crc32', 0, crc32(input)],
          ['adler32', 1, adler32(input)],
        ] as const) {
          const head = machine.compress(input.subarray(0, at), { level: 1, checksum, checksumSeed: seed });
          const tail = machine.compress(input.subarray(at), {
            level: 1,
            checksum,
            checksumSeed: head.checksum,
          });
          assert.equal(tail.checksum, expected);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('WasmCore.inflate', () => {
  it('inflates what node:zlib makes, at every level and strategy, and counts the input to the byte', () => {
    const strategies = [
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_FIXED,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
    ];
    fc.assert(
      fc.property(
        payload,
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom(...strategies),
        (input, level, strategy) => {
          const stream = Buffer.concat([deflateRawSync(input, { level, strategy }), Buffer.from('behind')]);
          const answer = machine.decompress(stream, input.length, { checksum: 'crc32' });
          assert.equal(answer.outcome, 'end');
          assert.equal(answer.consumed, stream.length - 6);
          assert.deepEqual(answer.bytes, input);
          assert.equal(answer.checksum, crc32(input));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('inflates at any split of input and output, on two cores in turns', () => {
    fc.assert(
      fc.property(payload, fc.integer({ min: 0, max: 9 }), fc.nat(), (input, level, seed) => {
        const next = numbers(seed);
        const largest = 2 + next(2000); // 1 would give jobs no byte of either, for ever
        const stream = deflateRawSync(input, { level });
        const answer = machine.decompressInJobs(stream, {
          inputSize: () => next(largest),
          room: () => next(largest),
          core: () => next(2),
          checksum: 'adler32',
        });
        assert.equal(answer.outcome, 'end');
        assert.equal(answer.consumed, stream.length);
        assert.deepEqual(answer.bytes, input);
        assert.equal(answer.checksum, adler32(input));
      }),
      { numRuns: 120 },
    );
  });

  it('moves a stream between two cores at every byte of input, and at every byte of output', () => {
    const text = Buffer.from('to be or not to be, that is the question; '.repeat(20) + 'x'.repeat(300));
    for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED]) {
      const stream = Buffer.concat([
        deflateRawSync(Buffer.alloc(0), { finishFlush: constants.Z_SYNC_FLUSH }),
      ]);
      const whole = Buffer.concat([stream, deflateRawSync(text, { strategy })]);
      for (let cut = 0; cut <= whole.length; cut++) {
        let job = 0;
        const answer = machine.decompressInJobs(whole, {
          inputSize: () => (job === 0 ? cut : whole.length),
          room: () => text.length,
          core: () => job++ & 1,
        });
        assert.equal(answer.outcome, 'end');
        assert.deepEqual(answer.bytes, text);
      }
      for (let cut = 0; cut <= text.length; cut++) {
        let job = 0;
        const answer = machine.decompressInJobs(whole, {
          inputSize: () => whole.length,
          room: () => (job === 0 ? cut : text.length),
          core: () => job++ & 1,
        });
        assert.equal(answer.outcome, 'end');
        assert.deepEqual(answer.bytes, text);
      }
    }
  });

  for (const [symptom, hex] of [
    ['block type 3', '07'],
    ['stored length beside its complement', '01 0500 fbff'],
    ['288 literal/length codes', 'fd 00 00'],
    ['a distance before the start', '4b 04 22 00'],
  ] as const) {
    it(`refuses ${symptom} as node:zlib does`, () => {
      const stream = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      const bad = symptom.startsWith('stored') ? Buffer.from('0105004242', 'hex') : stream;
      assert.throws(() => inflateRawSync(bad), { code: 'Z_DATA_ERROR' });
      const answer = machine.decompress(bad, 1000);
      assert.equal(answer.outcome, 'corrupt');
      assert.notEqual(answer.reason, undefined);
    });
  }

  it('keeps refusing a stream that it refused once', () => {
    assert.equal(machine.decompress(Buffer.from([7]), 10).outcome, 'corrupt');
    assert.equal(machine.decompress(Buffer.from([3, 0]), 10, { isNew: false }).outcome, 'corrupt');
  });

  it('refuses a context that holds no stream, and survives one that holds noise', () => {
    const next = numbers(3);
    const context = 2 * WASM_SCRATCH_BYTES + INFLATE_CONTEXT_BYTES;
    machine.heap.fill(0, context, context + INFLATE_CONTEXT_BYTES);
    assert.equal(machine.decompress(Buffer.from([3, 0]), 10, { isNew: false, stream: 1 }).outcome, 'corrupt');
    const stream = deflateRawSync(Buffer.from('some text, some text, some text'.repeat(40)));
    for (let run = 0; run < 2000; run++) {
      machine.decompress(stream.subarray(0, next(stream.length)), 200, { stream: 1 });
      const flips = 1 + next(6);
      for (let i = 0; i < flips; i++) machine.heap[context + 68 + next(440)] = next(256);
      machine.decompress(stream, 100 + next(2000), { isNew: false, stream: 1, core: run & 1 });
    }
  });

  it('leaves the first 64 bytes of the context to the engine', () => {
    const context = 2 * WASM_SCRATCH_BYTES;
    machine.heap.fill(0x5a, context, context + 64);
    machine.decompress(deflateRawSync(Buffer.alloc(100_000, 'ab')), 50_000);
    assert.ok(machine.heap.slice(context, context + 64).every((byte) => byte === 0x5a));
  });
});
