import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type JobAnswer, wasmMachine } from './wasm-machine.ts';

/** One stream of the shared corpus; see SOURCES.md beside it. */
interface Vector {
  id: string;
  format: 'deflate' | 'gzip' | 'zlib';
  expect: 'ok' | 'reject' | 'either';
  in: string;
  outLen?: number;
  outSha256?: string;
}

function projectRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : projectRoot(dirname(from));
}

const VECTORS = join(projectRoot(import.meta.dirname), '../shared/conformance/vectors.json');
const LARGEST_OUTPUT = 1 << 19;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function requireVerdict(vector: Vector, answer: JobAnswer, how: string): void {
  const isEnd = answer.outcome === 'end';
  if (vector.expect === 'reject') assert.ok(!isEnd, `${vector.id} ${how}: accepted`);
  if (vector.expect === 'ok')
    assert.ok(isEnd, `${vector.id} ${how}: ${answer.outcome} ${answer.reason ?? ''}`);
  if (!isEnd) return;
  assert.equal(answer.produced, vector.outLen, `${vector.id} ${how}: length`);
  assert.equal(sha256(answer.bytes), vector.outSha256, `${vector.id} ${how}: bytes`);
}

describe('the wasm core on the shared conformance vectors', () => {
  const isThere = existsSync(VECTORS);
  const reason = `${VECTORS} is not there: nothing was checked`;
  const options = isThere ? {} : { skip: reason };

  it('gives every raw deflate stream its verdict and bytes, whole and split at random', options, () => {
    const machine = wasmMachine(2);
    const vectors = (JSON.parse(readFileSync(VECTORS, 'utf8')) as Vector[]).filter(
      (vector) => vector.format === 'deflate',
    );
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % below;
    };
    for (const vector of vectors) {
      const stream = Buffer.from(vector.in, 'base64');
      requireVerdict(vector, machine.decompress(stream, LARGEST_OUTPUT), 'whole');
      const split = machine.decompressInJobs(stream, {
        inputSize: () => random(30),
        room: () => random(5000),
        core: () => random(2),
      });
      requireVerdict(vector, split, 'split');
    }
    assert.ok(vectors.length > 600, `${vectors.length} vectors`);
  });
});
