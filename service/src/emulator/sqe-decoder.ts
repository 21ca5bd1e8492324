import { type Iova, iova } from '../../../shared/src/units.ts';
import { getAddress, getField } from '../hw-abi/field.ts';
import { BUFFER_TYPE, FLUSH, MAX_FLAT_BYTES, REQUEST_TYPE, SQE, WINDOW_BYTES } from '../hw-abi/zip-sqe.ts';
import type { ZipVariant } from '../hw-abi/zip-variant.ts';
import type { ChecksumKind } from './deflate/core.ts';

const CHECKSUM_OF_REQUEST: Record<number, ChecksumKind> = {
  [REQUEST_TYPE.deflate]: 'none',
  [REQUEST_TYPE.zlib]: 'adler32',
  [REQUEST_TYPE.gzip]: 'crc32',
};

/** Level the device takes when the SQE names none, as silicon, which has one. */
const DEVICE_LEVEL = 1;
const MAX_LEVEL = 9;

/** A valid request; addresses not translated yet. */
export interface DecodedSqe {
  checksum: ChecksumKind;
  level: number;
  windowBytes: number;
  isFinal: boolean;
  isStateful: boolean;
  isStreamNew: boolean;
  /** Whether `source` and `destination` are heads of scatter lists; the offsets are into the lists' data. */
  isScattered: boolean;
  source: Iova;
  sourceOffset: number;
  sourceBytes: number;
  destination: Iova;
  destinationOffset: number;
  destinationBytes: number;
  context: Iova;
}

/**
 * Checks and decodes the SQE at word `base` (sources.md 6.1–6.3, limits of 6.8).
 * @returns the name of the field that is wrong instead, for the device's error counters
 */
export function decodeSqe(
  words: Uint32Array,
  base: number,
  variant: ZipVariant,
): DecodedSqe | keyof typeof SQE {
  if (getField(words, base, SQE.sqeType) !== variant.sqeType) return 'sqeType';
  const requestType = getField(words, base, SQE.requestType);
  const checksum = CHECKSUM_OF_REQUEST[requestType];
  if (!checksum || !variant.requestTypes.includes(requestType)) return 'requestType';
  const bufferType = getField(words, base, SQE.bufferType);
  if (bufferType !== BUFFER_TYPE.flat && bufferType !== BUFFER_TYPE.sgl) return 'bufferType';
  const isScattered = bufferType === BUFFER_TYPE.sgl;
  // data integrity fields are not modelled: a job that asks for them would go unprotected
  if (getField(words, base, SQE.difGenerate) !== 0) return 'difGenerate';
  if (getField(words, base, SQE.difVerify) !== 0) return 'difVerify';
  const windowBytes = WINDOW_BYTES[getField(words, base, SQE.window)];
  if (windowBytes === undefined) return 'window';
  const level = getField(words, base, SQE.level) || DEVICE_LEVEL;
  if (level > MAX_LEVEL) return 'level';
  const sourceBytes = getField(words, base, SQE.inputDataLength);
  if (sourceBytes > MAX_FLAT_BYTES) return 'inputDataLength';
  const destinationBytes = Math.min(getField(words, base, SQE.destAvailOut), MAX_FLAT_BYTES);
  if (destinationBytes === 0) return 'destAvailOut';
  return {
    checksum,
    level,
    windowBytes,
    isFinal: getField(words, base, SQE.flush) === FLUSH.finish,
    isStateful: getField(words, base, SQE.streamMode) === 1,
    isStreamNew: getField(words, base, SQE.streamNew) === 1,
    isScattered,
    source: iova(getAddress(words, base, SQE.source)),
    sourceOffset: isScattered ? getField(words, base, SQE.inSgeDataOffset) : 0,
    sourceBytes,
    destination: iova(getAddress(words, base, SQE.destination)),
    destinationOffset: isScattered ? getField(words, base, SQE.outSgeDataOffset) : 0,
    destinationBytes,
    context: iova(getAddress(words, base, SQE.streamContext)),
  };
}
