import type { Iova, Pasid, StreamId } from '../../../shared/src/units.ts';
import { getField } from '../hw-abi/field.ts';
import { SQE, STREAM_CONTEXT_BYTES, STREAM_CONTEXT_HW_OFFSET } from '../hw-abi/zip-sqe.ts';
import {
  type Access,
  type Extent,
  isStall,
  type Stall,
  type Translator,
} from '../kernel/iommu/translator.ts';
import { readProcess } from '../platform/libc.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import type { EngineJob } from './engine/job.ts';
import type { QueuePair } from './queue-pair.ts';
import { reachableMemory } from './reachable-memory.ts';
import { type ListWalk, type ReadList, type Segment, walkList } from './scatter-list.ts';
import type { DecodedSqe } from './sqe-decoder.ts';

export interface TranslationParts {
  streamId: StreamId;
  translator: Translator;
  memory: PhysicalMemory;
}

/** Where the data of a request lies: for fault records of accesses that fail later. */
export interface JobSegments {
  source: readonly Segment[];
  destination: readonly Segment[];
  context: readonly Segment[];
}

/** In whose name a job's addresses are looked up. */
interface Requester {
  readonly parts: TranslationParts;
  readonly pasid: Pasid;
  readonly qpId: number;
}

/**
 * Lets the IOMMU translate every address of a request.
 * @param base word index of the SQE, for the words that the engine goes on with
 * @returns what an engine core gets; the stall, if one access waits for its page; undefined if one was aborted; a
 * sentence if a scatter list is wrong
 */
export function translateJob(
  parts: TranslationParts,
  queue: QueuePair,
  base: number,
  request: DecodedSqe,
): { job: EngineJob; segments: JobSegments } | Stall | undefined | string {
  const who: Requester = { parts, pasid: queue.sq.pasid, qpId: queue.qpId };
  const { isScattered } = request;
  const source = segmentsOf(who, isScattered, request.source, request.sourceOffset, request.sourceBytes);
  if (!Array.isArray(source)) return source;
  if (totalBytes(source) < request.sourceBytes) return 'the source list is shorter than the input';
  const { destinationOffset, destinationBytes } = request;
  const destination = segmentsOf(who, isScattered, request.destination, destinationOffset, destinationBytes);
  if (!Array.isArray(destination)) return destination;
  if (destination.length === 0) return 'the destination list has no room';
  const contextBytes = request.isStateful ? STREAM_CONTEXT_BYTES - STREAM_CONTEXT_HW_OFFSET : 0;

  const from = reachAll(who, source, 'read');
  if (!from || isStall(from)) return from;
  const to = reachAll(who, destination, 'write');
  if (!to || isStall(to)) return to;
  const context = reach(who, request.context, contextBytes, 'write');
  if (!context || isStall(context)) return context;
  const { sqWords } = queue;
  const job: EngineJob = {
    operation: queue.sq.operation,
    checksum: request.checksum,
    level: request.level,
    windowBytes: request.windowBytes,
    isFinal: request.isFinal,
    isStateful: request.isStateful,
    isStreamNew: request.isStreamNew,
    source: from,
    destination: to,
    context,
    ctxDw0: getField(sqWords, base, SQE.ctxDw0),
    ctxDw1: getField(sqWords, base, SQE.ctxDw1),
    ctxDw2: getField(sqWords, base, SQE.ctxDw2),
    checksumIn: getField(sqWords, base, SQE.checksum),
    isizeIn: getField(sqWords, base, SQE.isize),
  };
  return {
    job,
    segments: { source, destination, context: [{ address: request.context, bytes: contextBytes }] },
  };
}

/** @returns extents as engine cores can use them */
function reach(
  { parts, pasid, qpId }: Requester,
  address: Iova,
  bytes: number,
  access: Access,
): Extent[] | Stall | undefined {
  if (bytes === 0) return [];
  const { translator, streamId, memory } = parts;
  const translation = translator.translateOrStall(streamId, pasid, address, bytes, access, qpId);
  if (!translation || isStall(translation)) return translation;
  const extents = reachableMemory(translation, memory);
  if (!extents) translator.report(streamId, pasid, address, access, qpId);
  return extents;
}

function reachAll(
  who: Requester,
  segments: readonly Segment[],
  access: Access,
): Extent[] | Stall | undefined {
  const [first] = segments;
  if (first && segments.length === 1) return reach(who, first.address, first.bytes, access);
  const all: Extent[] = [];
  for (const { address, bytes } of segments) {
    const extents = reach(who, address, bytes, access);
    if (!extents || isStall(extents)) return extents;
    all.push(...extents);
  }
  return all;
}

function segmentsOf(
  who: Requester,
  isScattered: boolean,
  address: Iova,
  offset: number,
  bytes: number,
): ListWalk {
  if (!isScattered || bytes === 0) return [{ address, bytes }];
  const read: ReadList = (at, length) => {
    const extents = reach(who, at, length, 'read');
    if (!extents || !Array.isArray(extents)) return extents;
    const { memory, translator, streamId } = who.parts;
    const view = readExtents(extents, memory);
    if (!view) translator.report(streamId, who.pasid, at, 'read', who.qpId);
    return view;
  };
  return walkList(read, address, offset, bytes);
}

const totalBytes = (pieces: readonly { bytes: number }[]): number =>
  pieces.reduce((sum, { bytes }) => sum + bytes, 0);

/** A copy of a scatter list's own bytes; undefined if another process's memory refused. */
function readExtents(extents: readonly Extent[], memory: PhysicalMemory): DataView | undefined {
  const copy = new Uint8Array(totalBytes(extents));
  let at = 0;
  for (const { address, bytes, pid } of extents) {
    if (pid === undefined) copy.set(memory.view(address, bytes), at);
    else if (!readProcess(pid, address, copy.subarray(at, at + bytes)).ok) return undefined;
    at += bytes;
  }
  return new DataView(copy.buffer);
}
