import type { CoreName, Operation } from '../../../../shared/src/telemetry.ts';
import type { Access, Extent } from '../../kernel/iommu/translator.ts';
import type { ChecksumKind } from '../deflate/core.ts';

/** An SQE after the queue manager decoded it and the IOMMU translated its addresses: what an engine core gets. */
export interface EngineJob {
  operation: Operation;
  /** Container whose trailer the engine writes or checks. */
  checksum: ChecksumKind;
  level: number;
  windowBytes: number;
  isFinal: boolean;
  isStateful: boolean;
  isStreamNew: boolean;
  source: Extent[];
  destination: Extent[];
  /** The stream context's hardware part; empty when stateless. */
  context: Extent[];
  ctxDw0: number;
  ctxDw1: number;
  ctxDw2: number;
  checksumIn: number;
  isizeIn: number;
  /** What a fault plan does to the core that takes the job; cores in threads only. */
  injected?: 'hang' | 'crash';
}

/** Running checksum of no bytes. */
export const CHECKSUM_START: Record<ChecksumKind, number> = { none: 0, crc32: 0, adler32: 1 };

/** What the queue manager writes back into the SQE. */
export interface EngineResult {
  status: number;
  isLastBlock: boolean;
  consumed: number;
  produced: number;
  checksum: number;
  isize: number;
  ctxDw0: number;
  ctxDw1: number;
  ctxDw2: number;
  core: CoreName;
  busyUs: number;
  /** Set with status busError: an access that the host refused, by the buffer and the offset in it. */
  fault?: { part: 'source' | 'destination' | 'context'; offset: number; access: Access };
}

/** A job that moved no byte. */
export function failedResult(job: EngineJob, status: number, core: CoreName): EngineResult {
  return {
    status,
    isLastBlock: false,
    consumed: 0,
    produced: 0,
    checksum: job.checksumIn,
    isize: job.isizeIn,
    ctxDw0: job.ctxDw0,
    ctxDw1: job.ctxDw1,
    ctxDw2: job.ctxDw2,
    core,
    busyUs: 0,
  };
}
