import { CTX, CTX_STATE } from '../../hw-abi/zip-sqe.ts';
import type { InflateResult } from '../deflate/core.ts';
import type { EngineResult } from './job.ts';

/** The three context words of a decompress job (sources.md 6.5). */
export function contextWords({
  outcome,
  position,
}: InflateResult): Pick<EngineResult, 'ctxDw0' | 'ctxDw1' | 'ctxDw2'> {
  let state: number = CTX_STATE.none;
  if (outcome === 'output-full') state = CTX_STATE.inflateNoSpace;
  else if (outcome === 'more' && position?.isInHeader) state = CTX_STATE.blockNotStarted;
  if (!position) return { ctxDw0: state, ctxDw1: 0, ctxDw2: 0 };
  const finalBlock = position.isLastBlock ? 1 << CTX.finalBlockSeen.shift : 0;
  return {
    ctxDw0: state | finalBlock | (Math.min(position.heldBits, 63) << CTX.headerBits.shift),
    ctxDw1: position.storedLeft,
    ctxDw2: position.windowFill,
  };
}
