import { type Field, setField } from '../hw-abi/field.ts';
import { CORE_TAGS, SQE, STATUS } from '../hw-abi/zip-sqe.ts';
import type { EngineResult } from './engine/job.ts';

/** Outcomes that are not the request's failure (UADK drv/hisi_comp.c). */
const GOOD_STATUS = new Set<number>([STATUS.ok, STATUS.negativeCompression, STATUS.decompressionEnd]);

export const isGoodStatus = (status: number): boolean => GOOD_STATUS.has(status);

/** Writes the outcome of a job into its SQE at word `base`. @param result absent: no engine core saw the job */
export function writeBack(
  words: Uint32Array,
  base: number,
  status: number,
  result: EngineResult | undefined,
  coreTag: Field,
): void {
  setField(words, base, SQE.consumed, result?.consumed ?? 0);
  setField(words, base, SQE.produced, result?.produced ?? 0);
  words[base + SQE.status.dword] = status | (result?.isLastBlock ? 1 << SQE.lastBlock.shift : 0);
  if (!result) return;
  setField(words, base, coreTag, CORE_TAGS.indexOf(result.core));
  setField(words, base, SQE.ctxDw0, result.ctxDw0);
  setField(words, base, SQE.ctxDw1, result.ctxDw1);
  setField(words, base, SQE.ctxDw2, result.ctxDw2);
  setField(words, base, SQE.isize, result.isize);
  setField(words, base, SQE.checksum, result.checksum);
}
