import { QM_REGISTERS } from '../../hw-abi/qm-registers.ts';
import type { Register } from '../../hw-abi/register.ts';
import {
  ZIP_CORE_REGISTERS,
  ZIP_CORES,
  ZIP_REGISTERS,
  type ZipCoreRegister,
  zipCoreRegister,
} from '../../hw-abi/zip-registers.ts';
import type { RegisterFile } from './register-file.ts';

const QUEUE_SHIFT = 16;

/** Figures that the device keeps anyway; the counters are differences of them. */
export interface CounterSources {
  mailboxes(): number;
  doorbells(): number;
  /** SQEs fetched from and CQEs posted to one queue. */
  queue(qpId: number): { sqes: number; cqes: number };
  total(): { fetched: number; writtenBack: number; cqeErrors: number };
  /** One debug block: 0 and 1 compress, 2 to 4 decompress; 32-bit counters, work and idle in microseconds. */
  core(block: number): Record<ZipCoreRegister, number>;
  isIdle(): boolean;
  functionsActive(): number;
}

/**
 * The debug (DFX) counters. They cost nothing while jobs run: each is read from figures that exist, less what was read
 * before if its block clears on read.
 */
export class DebugCounters {
  private readonly baselines = new Map<number, number>();

  constructor(registers: RegisterFile, sources: CounterSources) {
    const clearsQm = (): boolean => registers.get(QM_REGISTERS.dfxCntClrCe) === 1;
    const clearsZip = (): boolean => (registers.get(ZIP_REGISTERS.cntClrCe) & 1) === 1;
    const count = (register: Register, clears: () => boolean, live: () => number): void =>
      registers.onRead(register, () => {
        const now = live();
        const value = now - (this.baselines.get(register.offset) ?? 0);
        if (clears()) this.baselines.set(register.offset, now);
        return value;
      });
    const selected = (selector: Register): number => registers.get(selector) >>> QUEUE_SHIFT;
    const qm = (register: Register, live: () => number): void => count(register, clearsQm, live);
    const { queue, total } = sources;
    qm(QM_REGISTERS.dfxMbCnt, sources.mailboxes);
    qm(QM_REGISTERS.dfxDbCnt, sources.doorbells);
    qm(QM_REGISTERS.dfxSqeCnt, () => queue(selected(QM_REGISTERS.dfxSqeCntVfSqn)).sqes);
    qm(QM_REGISTERS.dfxCqeCnt, () => queue(selected(QM_REGISTERS.dfxCqeCntVfCqn)).cqes);
    qm(QM_REGISTERS.dfxSendSqeToAccCnt, () => total().fetched);
    qm(QM_REGISTERS.dfxWbSqeFromAccCnt, () => total().writtenBack);
    qm(QM_REGISTERS.dfxAccFinishCnt, () => total().writtenBack);
    qm(QM_REGISTERS.dfxCqeErrCnt, () => total().cqeErrors);
    registers.onRead(QM_REGISTERS.inIdleState, () => (sources.isIdle() ? 1 : 0));
    registers.onRead(QM_REGISTERS.functionsActive, sources.functionsActive);
    for (const selector of [QM_REGISTERS.dfxSqeCntVfSqn, QM_REGISTERS.dfxCqeCntVfCqn])
      registers.onWrite(selector, () => {
        const counter =
          selector === QM_REGISTERS.dfxSqeCntVfSqn ? QM_REGISTERS.dfxSqeCnt : QM_REGISTERS.dfxCqeCnt;
        this.baselines.delete(counter.offset); // another queue's count starts from its own zero
      });
    for (let block = 0; block < ZIP_CORES.compress + ZIP_CORES.decompress; block++)
      for (const [name, target] of coreRegisters(block))
        count(target, clearsZip, () => sources.core(block)[name]);
  }

  reset(): void {
    this.baselines.clear();
  }
}

/** Every register of one engine core's debug block. */
export const coreRegisters = (block: number): [ZipCoreRegister, Register][] =>
  (Object.keys(ZIP_CORE_REGISTERS) as ZipCoreRegister[]).map((name) => [name, zipCoreRegister(block, name)]);
