import { type Iova, physAddr, type StreamId } from '../../../shared/src/units.ts';
import { getField } from '../hw-abi/field.ts';
import { SQE, STREAM_CONTEXT_BYTES, STREAM_CONTEXT_HW_OFFSET } from '../hw-abi/zip-sqe.ts';
import {
  type Access,
  type Extent,
  isStall,
  type Stall,
  type Translator,
} from '../kernel/iommu/translator.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import type { EngineJob } from './engine/job.ts';
import type { QueuePair } from './queue-pair.ts';
import { reachableMemory } from './reachable-memory.ts';
import type { DecodedSqe } from './sqe-decoder.ts';

export interface TranslationParts {
  streamId: StreamId;
  translator: Translator;
  memory: PhysicalMemory;
}

/**
 * Lets the IOMMU translate every address of a request.
 * @param base word index of the SQE, for the words that the engine goes on with
 * @returns what an engine core gets; the stall, if one access waits for its page; undefined if one was aborted
 */
export function translateJob(
  { translator, streamId, memory }: TranslationParts,
  queue: QueuePair,
  base: number,
  request: DecodedSqe,
): EngineJob | Stall | undefined {
  const reach = (address: Iova, bytes: number, access: Access): Extent[] | Stall | undefined => {
    if (bytes === 0) return [];
    const translation = translator.translateOrStall(streamId, queue.sq.pasid, address, bytes, access);
    if (!translation || isStall(translation)) return translation;
    const extents = reachableMemory(translation, memory);
    if (!extents) translator.report(streamId, queue.sq.pasid, address, access);
    return extents;
  };
  const source = reach(request.source, request.sourceBytes, 'read');
  if (!source || isStall(source)) return source;
  const destination = reach(request.destination, request.destinationBytes, 'write');
  if (!destination || isStall(destination)) return destination;
  const contextBytes = request.isStateful ? STREAM_CONTEXT_BYTES - STREAM_CONTEXT_HW_OFFSET : 0;
  const context = reach(request.context, contextBytes, 'write');
  if (!context || isStall(context)) return context;
  const word = (f: 'ctxDw0' | 'ctxDw1' | 'ctxDw2' | 'checksum' | 'isize') =>
    getField(queue.sqWords, base, SQE[f]);
  return {
    operation: queue.sq.operation,
    checksum: request.checksum,
    level: request.level,
    windowBytes: request.windowBytes,
    isFinal: request.isFinal,
    isStateful: request.isStateful,
    isStreamNew: request.isStreamNew,
    source: ownMemory(source, memory),
    destination: ownMemory(destination, memory),
    context: ownMemory(context, memory),
    ctxDw0: word('ctxDw0'),
    ctxDw1: word('ctxDw1'),
    ctxDw2: word('ctxDw2'),
    checksumIn: word('checksum'),
    isizeIn: word('isize'),
  };
}

/** Windows of the memory are not in the engine cores' RAM: they are reached as this process's own memory. */
function ownMemory(extents: Extent[], memory: PhysicalMemory): Extent[] {
  return extents.map((extent) => {
    const host = extent.pid === undefined ? memory.hostAddress(extent.address) : undefined;
    return host === undefined ? extent : { address: physAddr(host), bytes: extent.bytes, pid: process.pid };
  });
}
