import type { Operation } from '../../../shared/src/telemetry.ts';
import { ZIP_CORES, type ZipCoreRegister } from '../hw-abi/zip-registers.ts';
import type { EngineResult } from './engine/job.ts';

interface Block {
  received: number;
  errors: number;
  done: number;
  workUs: number;
  maxUs: number;
  minUs: number;
  consumed: number;
  produced: number;
}

/**
 * What the engine cores' debug registers show. Silicon has cores for one direction each, ours do both; so core n counts
 * its compress jobs in compress block n and its decompress jobs in decompress block n, around if there are more.
 */
export class EngineCounters {
  private readonly blocks: Block[] = Array.from(
    { length: ZIP_CORES.compress + ZIP_CORES.decompress },
    () => ({
      received: 0,
      errors: 0,
      done: 0,
      workUs: 0,
      maxUs: 0,
      minUs: 0,
      consumed: 0,
      produced: 0,
    }),
  );

  received(coreId: number, operation: Operation): void {
    const block = this.blockOf(coreId, operation);
    if (block) block.received++;
  }

  done(coreId: number, operation: Operation, result: EngineResult, isGood: boolean): void {
    const block = this.blockOf(coreId, operation);
    if (!block) return;
    const { busyUs } = result;
    if (!isGood) block.errors++;
    if (block.done++ === 0 || busyUs < block.minUs) block.minUs = busyUs;
    if (busyUs > block.maxUs) block.maxUs = busyUs;
    block.workUs += busyUs;
    block.consumed += result.consumed;
    block.produced += result.produced;
  }

  /** @param ageUs how long the device runs */
  registers(index: number, ageUs: number): Record<ZipCoreRegister, number> {
    const block = this.blocks[index];
    if (!block) throw new Error(`no core block ${index}`);
    return {
      getBdNum: block.received,
      getRightBd: block.received - block.errors,
      getErrorBd: block.errors,
      doneBdNum: block.done,
      workCycle: Math.round(block.workUs),
      idleCycle: Math.round(Math.max(0, ageUs - block.workUs)),
      maxDelay: Math.round(block.maxUs),
      minDelay: Math.round(block.minUs),
      avgDelay: block.done === 0 ? 0 : Math.round(block.workUs / block.done),
      consumedByte: block.consumed,
      producedByte: block.produced,
    };
  }

  private blockOf(coreId: number, operation: Operation): Block | undefined {
    return operation === 'compress'
      ? this.blocks[coreId % ZIP_CORES.compress]
      : this.blocks[ZIP_CORES.compress + (coreId % ZIP_CORES.decompress)];
  }
}
