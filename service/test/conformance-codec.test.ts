import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { WarpDriveError } from '../../shared/src/problem.ts';
import type { Codec } from '../src/codec/codec.ts';
import { cutAtRandom, randomFrom } from './support/corpus.ts';
import { openHostIfPresent, outcomeOf, slotsTaken } from './support/hosts.ts';

/** Relative to the repository's root, where npm runs the tests; see its SOURCES.md. */
const VECTORS = resolve('../shared/conformance/vectors.json');

interface Vector {
  id: string;
  name: string;
  format: 'gzip' | 'zlib' | 'deflate';
  /** `either`: decoders differ, on trailing bytes. */
  expect: 'ok' | 'reject' | 'either';
  in: string;
  outLen?: string;
  outSha256?: string;
}

/** What is wrong with the codec's answer to `vector`, cut into `pieces`; undefined if nothing is. */
async function complaintOf(codec: Codec, vector: Vector, pieces: Uint8Array[]): Promise<string | undefined> {
  const { error, output } = await outcomeOf(codec.decompressStream({ format: vector.format }), pieces);
  if (error !== undefined) {
    if (!(error instanceof WarpDriveError)) return `failed with ${error}`;
    if (error.code !== 'WD_E_INPUT_CORRUPT' && error.code !== 'WD_E_INPUT_TRUNCATED')
      return `failed with ${error.code}`;
    return vector.expect === 'ok' ? `refused: ${error.message}` : undefined;
  }
  if (vector.expect === 'reject') return `accepted, ${output.length} bytes`;
  if (output.length !== Number(vector.outLen)) return `gave ${output.length} bytes, not ${vector.outLen}`;
  return createHash('sha256').update(output).digest('hex') === vector.outSha256
    ? undefined
    : 'gave other bytes';
}

describe('third-party DEFLATE, zlib and gzip streams', () => {
  const vectors = existsSync(VECTORS) ? (JSON.parse(readFileSync(VECTORS, 'utf8')) as Vector[]) : undefined;
  if (!vectors) process.stdout.write(`skipped: ${VECTORS} is not there\n`);
  const seed = Number(process.env['WARPDRIVE_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

  for (const core of ['wasm', 'isal'] as const)
    it(`get zlib’s verdict and bytes on core ${core}, whole and in random pieces`, async (t) => {
      if (!vectors) return t.skip('no vectors');
      const host = await openHostIfPresent(core);
      if (!host) return t.skip('no library');
      process.stdout.write(`${vectors.length} streams on core ${core}, WARPDRIVE_TEST_SEED=${seed}\n`);
      const random = randomFrom(seed);
      const complaints: string[] = [];
      for (const vector of vectors) {
        const data = Buffer.from(vector.in, 'base64');
        const longest = 1 + Math.floor(random() * Math.min(data.length, 4000));
        const ways: [string, Uint8Array[]][] = [
          ['whole', [data]],
          ['in pieces', cutAtRandom(data, random, longest)],
        ];
        for (const [how, pieces] of ways) {
          const complaint = await complaintOf(host.codec, vector, pieces);
          if (complaint)
            complaints.push(`${vector.id} (${vector.format}, ${vector.expect}) ${how}: ${complaint}`);
        }
      }
      assert.deepEqual(complaints, []);
      assert.equal(slotsTaken(host), 0);
      await host.close();
    });
});
