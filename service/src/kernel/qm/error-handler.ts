import { hex } from '../../../../shared/src/units.ts';
import { QM_ERROR_MASK, QM_ERRORS, QM_REGISTERS } from '../../hw-abi/qm-registers.ts';
import type { Register } from '../../hw-abi/register.ts';
import { ZIP_ERROR_MASK, ZIP_ERRORS, ZIP_REGISTERS } from '../../hw-abi/zip-registers.ts';
import type { Log } from '../../platform/log.ts';
import type { RegisterAccess } from './register-access.ts';

interface Block {
  names: readonly string[];
  mask: { correctable: number; nonFatal: number; reset: number };
  registers: Record<'source' | 'intMask' | 'status' | 'ce' | 'nfe' | 'fe' | 'shutdown', Register>;
}

const QM_BLOCK: Block = {
  names: QM_ERRORS,
  mask: QM_ERROR_MASK,
  registers: {
    source: QM_REGISTERS.abnormalIntSource,
    intMask: QM_REGISTERS.abnormalIntMask,
    status: QM_REGISTERS.abnormalIntStatus,
    ce: QM_REGISTERS.rasCeEnable,
    nfe: QM_REGISTERS.rasNfeEnable,
    fe: QM_REGISTERS.rasFeEnable,
    shutdown: QM_REGISTERS.oooShutdownSel,
  },
};
const ZIP_BLOCK: Block = {
  names: ZIP_ERRORS,
  mask: ZIP_ERROR_MASK,
  registers: {
    source: ZIP_REGISTERS.coreIntSource,
    intMask: ZIP_REGISTERS.coreIntMask,
    status: ZIP_REGISTERS.coreIntStatus,
    ce: ZIP_REGISTERS.rasCeEnable,
    nfe: ZIP_REGISTERS.rasNfeEnable,
    fe: ZIP_REGISTERS.rasFeEnable,
    shutdown: ZIP_REGISTERS.oooShutdownSel,
  },
};

const BLOCKS = [QM_BLOCK, ZIP_BLOCK];
const ALL = 0xffff_ffff;

/** RAS errors: what is enabled, and what the abnormal interrupt finds (qm_hw_error_init_v3, qm_hw_error_handle_v2). */
export class ErrorHandler {
  /** Times each error was found, by its kernel name. */
  readonly found = new Map<string, number>();

  constructor(
    private readonly registers: RegisterAccess,
    private readonly log: Log,
  ) {}

  enable(): void {
    const { registers } = this;
    for (const { mask, registers: block } of BLOCKS) {
      registers.write(block.source, ALL); // clears what was left over
      registers.write(block.ce, mask.correctable);
      registers.write(block.nfe, mask.nonFatal);
      registers.write(block.fe, 0);
      registers.write(block.shutdown, mask.reset);
      const enabled = mask.correctable | mask.nonFatal;
      registers.write(block.intMask, (registers.read(block.intMask) & ~enabled) >>> 0);
    }
    registers.write(QM_REGISTERS.rasCeThreshold, 1);
  }

  /** Logs and counts every error that stands; what needs no reset is cleared. @returns whether a reset is needed */
  handle(): boolean {
    let needsReset = false;
    for (const block of BLOCKS) {
      const status = this.registers.read(block.registers.status);
      if (status === 0) continue;
      block.names.forEach((name, bit) => {
        if ((status & (1 << bit)) === 0) return;
        this.found.set(name, (this.found.get(name) ?? 0) + 1);
        this.log.error({ error: name }, `${name} [error status=${hex(1 << bit, 1)}] found`);
      });
      if ((status & block.mask.reset) !== 0) needsReset = true;
      else this.registers.write(block.registers.source, status);
    }
    return needsReset;
  }
}
