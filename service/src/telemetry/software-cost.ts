import { deflateRawSync } from 'node:zlib';
import type { SoftwareCost, SoftwareSamples } from '../../../shared/src/software-cost.ts';

/** Enough of a piece for a speed that means something, and no more than about a millisecond of the event loop. */
const SAMPLE_BYTES = 32 * 1024;
const LEAST_BYTES = 512;
const KEPT = 16;
const US_PER_S = 1e6;

/**
 * Asks node:zlib now and then to compress a piece of the traffic that the engine compresses too, at the same level,
 * and remembers how long that took. At most one piece between two calls of `next`, and none while nobody looks.
 */
export class SoftwareCostSampler {
  private readonly samples: { bytes: number; us: number }[] = [];
  private isDue = false;

  constructor(private readonly nowUs: () => number) {}

  /** Forgets that a sample was due: nobody reads any more. */
  stop(): void {
    this.isDue = false;
  }

  /** A piece of input on its way to the engine; costs one comparison unless a sample is due. */
  offer(piece: Uint8Array, level: number): void {
    if (!this.isDue || piece.length < LEAST_BYTES) return;
    this.isDue = false;
    const bytes = piece.subarray(0, SAMPLE_BYTES);
    const startedUs = this.nowUs();
    deflateRawSync(bytes, { level });
    this.samples.push({ bytes: bytes.length, us: this.nowUs() - startedUs });
    if (this.samples.length > KEPT) this.samples.shift();
  }

  /** The last samples together; the next one is due. */
  next(): SoftwareSamples {
    this.isDue = true;
    const sum = { count: this.samples.length, bytes: 0, us: 0 };
    for (const { bytes, us } of this.samples) {
      sum.bytes += bytes;
      sum.us += us;
    }
    return sum;
  }
}

/**
 * @param samples of each process that serves clients
 * @param compressedBytes compression input of all clients so far
 * @returns undefined before the first sample
 */
export function softwareCost(
  samples: readonly SoftwareSamples[],
  compressedBytes: number,
): SoftwareCost | undefined {
  const sum = { count: 0, bytes: 0, us: 0 };
  for (const { count, bytes, us } of samples) {
    sum.count += count;
    sum.bytes += bytes;
    sum.us += us;
  }
  if (sum.count === 0) return undefined;
  return {
    bytesPerSec: Math.round((sum.bytes * US_PER_S) / Math.max(1, sum.us)),
    compressedBytes,
    samples: sum.count,
    sampleBytes: Math.round(sum.bytes / sum.count),
  };
}
