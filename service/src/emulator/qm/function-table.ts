import { CQC_VFT_VALID_BIT, QM_REGISTERS, SQC_VFT, VFT_TYPE } from '../../hw-abi/qm-registers.ts';
import type { RegisterFile } from './register-file.ts';

const FUNCTION_MASK = 0x3f;
const SHAPER_TYPE_SHIFT = 6;
const OP_READ = 1;
const DATA_BITS = 32;

/** Queues of one function. */
export interface QueueWindow {
  readonly base: number;
  readonly count: number;
}

/** The function table (VFT): which queues belong to which function, and how fast each function may go. */
export class FunctionTable {
  /** Raw 64-bit entries as [low, high] by type and function. */
  private readonly entries = new Map<string, readonly [number, number]>();

  /** @param onShaper a shaper entry was written: function, type (0 compress, 1 decompress), low word */
  constructor(
    private readonly registers: RegisterFile,
    private readonly onShaper: (fn: number, type: number, entry: number) => void,
  ) {
    registers.onWrite(QM_REGISTERS.vftCfgOpEnable, (value) => {
      if ((value & 1) === 1) this.execute();
    });
  }

  /** @returns undefined when the function has no valid SQC and CQC entry */
  window(fn: number): QueueWindow | undefined {
    const sqc = this.entries.get(`${VFT_TYPE.sqc}/${fn}`);
    const cqc = this.entries.get(`${VFT_TYPE.cqc}/${fn}`);
    if (!sqc || !cqc) return undefined;
    const [low, high] = sqc;
    const isValid =
      (high & (1 << (SQC_VFT.validBit - DATA_BITS))) !== 0 && (cqc[0] & (1 << CQC_VFT_VALID_BIT)) !== 0;
    if (!isValid) return undefined;
    const baseLow = low >>> SQC_VFT.baseShift;
    const baseHigh = high & ((1 << (SQC_VFT.baseBits - (DATA_BITS - SQC_VFT.baseShift))) - 1);
    const count = (high >>> (SQC_VFT.countShift - DATA_BITS)) & ((1 << SQC_VFT.countBits) - 1);
    return { base: (baseHigh << (DATA_BITS - SQC_VFT.baseShift)) | baseLow, count: count + 1 };
  }

  /** The raw SQC entry, as the mailbox reads it back. */
  entry(fn: number): readonly [number, number] | undefined {
    return this.entries.get(`${VFT_TYPE.sqc}/${fn}`);
  }

  reset(): void {
    this.entries.clear();
  }

  private execute(): void {
    const { registers } = this;
    const type = registers.get(QM_REGISTERS.vftCfgType);
    const selected = registers.get(QM_REGISTERS.vftCfg);
    const fn = selected & FUNCTION_MASK;
    const key = type === VFT_TYPE.shaper ? `${type}/${selected}` : `${type}/${fn}`;
    if (registers.get(QM_REGISTERS.vftCfgOpWr) === OP_READ) {
      const [low, high] = this.entries.get(key) ?? [0, 0];
      registers.set(QM_REGISTERS.vftCfgDataL, low);
      registers.set(QM_REGISTERS.vftCfgDataH, high);
    } else {
      const low = registers.get(QM_REGISTERS.vftCfgDataL);
      this.entries.set(key, [low, registers.get(QM_REGISTERS.vftCfgDataH)]);
      if (type === VFT_TYPE.shaper) this.onShaper(fn, selected >> SHAPER_TYPE_SHIFT, low);
    }
    registers.set(QM_REGISTERS.vftCfgReady, 1);
  }
}
