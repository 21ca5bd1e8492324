import { getField, setAddress, setField } from '../../hw-abi/field.ts';
import {
  BUFFER_TYPE,
  CORE_TAGS,
  CTX,
  CTX_STATE,
  FLUSH,
  LARGEST_WINDOW_BYTES,
  REQUEST_TYPE,
  SQE,
  SQE_WORDS,
  STATUS,
  STREAM_CONTEXT_HW_OFFSET,
  WINDOW_BYTES,
} from '../../hw-abi/zip-sqe.ts';
import type { ZipVariant } from '../../hw-abi/zip-variant.ts';
import type { StreamState, ZipCompletion, ZipOutcome, ZipRequest } from './zip-request.ts';

const OUTCOMES: Record<number, ZipOutcome> = {
  [STATUS.ok]: 'ok',
  [STATUS.negativeCompression]: 'ok',
  [STATUS.decompressionEnd]: 'end',
  [STATUS.outputExhausted]: 'output-exhausted',
  [STATUS.checksum]: 'checksum-error',
  [STATUS.corruptData]: 'corrupt',
  [STATUS.busError]: 'dma-error',
  [STATUS.badRequest]: 'bad-request',
};

/** Outcomes after which a stream goes on; after any other its words stay, so that the job can be sent again. */
const ADVANCING = new Set<ZipOutcome>(['ok', 'end']);

/** Writes the SQE of a request at word `base`; what the slot held before is gone. */
export function encodeSqe(
  sq: Uint32Array,
  base: number,
  request: ZipRequest,
  variant: ZipVariant,
  tag: number,
): void {
  const { stream, lists } = request;
  sq.fill(0, base, base + SQE_WORDS);
  setField(sq, base, SQE.sqeType, variant.sqeType);
  setField(sq, base, SQE.requestType, REQUEST_TYPE[request.format]);
  setField(sq, base, SQE.bufferType, lists ? BUFFER_TYPE.sgl : BUFFER_TYPE.flat);
  if (lists) {
    setField(sq, base, SQE.inSgeDataOffset, lists.sourceOffset);
    setField(sq, base, SQE.outSgeDataOffset, lists.destinationOffset);
  }
  setField(sq, base, SQE.window, WINDOW_BYTES.indexOf(request.windowBytes ?? LARGEST_WINDOW_BYTES));
  setField(sq, base, SQE.level, request.level);
  setField(sq, base, SQE.flush, request.isFinal ? FLUSH.finish : FLUSH.sync);
  setAddress(sq, base, SQE.source, request.source);
  setField(sq, base, SQE.inputDataLength, request.sourceBytes);
  setAddress(sq, base, SQE.destination, request.destination);
  setField(sq, base, SQE.destAvailOut, request.destinationBytes);
  if (stream) {
    setField(sq, base, SQE.streamMode, 1);
    setField(sq, base, SQE.streamNew, stream.isNew ? 1 : 0);
    setAddress(sq, base, SQE.streamContext, stream.context + STREAM_CONTEXT_HW_OFFSET);
    setField(sq, base, SQE.ctxDw0, stream.ctxDw0);
    setField(sq, base, SQE.ctxDw1, stream.ctxDw1);
    setField(sq, base, SQE.ctxDw2, stream.ctxDw2);
    setField(sq, base, SQE.checksum, stream.checksum);
    setField(sq, base, SQE.isize, stream.isize);
  }
  setField(sq, base, variant.tag, tag);
}

/** What the SQE at word `base` says after its completion; moves `stream` on if the job did. */
export function decodeCompletion(
  sq: Uint32Array,
  base: number,
  variant: ZipVariant,
  stream: StreamState | undefined,
): ZipCompletion {
  const status = getField(sq, base, SQE.status);
  const outcome = OUTCOMES[status] ?? 'device-error';
  if (stream && ADVANCING.has(outcome)) {
    stream.isNew = false;
    stream.ctxDw0 = getField(sq, base, SQE.ctxDw0);
    stream.ctxDw1 = getField(sq, base, SQE.ctxDw1);
    stream.ctxDw2 = getField(sq, base, SQE.ctxDw2);
    stream.checksum = getField(sq, base, SQE.checksum);
    stream.isize = getField(sq, base, SQE.isize);
  }
  const core = CORE_TAGS[getField(sq, base, variant.coreTag)];
  return {
    outcome,
    status,
    consumed: getField(sq, base, SQE.consumed),
    produced: getField(sq, base, SQE.produced),
    checksum: getField(sq, base, SQE.checksum),
    isize: getField(sq, base, SQE.isize),
    isOutputPending: stream !== undefined && isPending(getField(sq, base, CTX.state)),
    isTrailerMissing: getField(sq, base, CTX.dataEnded) === 1,
    core: core === 'none' ? undefined : core,
  };
}

const isPending = (state: number): boolean =>
  state === CTX_STATE.lastBlockNoSpace || state === CTX_STATE.inflateNoSpace;
