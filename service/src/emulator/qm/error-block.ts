import type { Register } from '../../hw-abi/register.ts';
import type { RegisterFile } from './register-file.ts';

/** The registers of one block's error reporting; the QM and the ZIP engine have one each, of the same make. */
export interface ErrorRegisters {
  source: Register;
  mask: Register;
  status: Register;
  set: Register;
  rasCeEnable: Register;
  rasNfeEnable: Register;
  rasFeEnable: Register;
  oooShutdownSel: Register;
}

/**
 * Errors of one block: latched in `source` until software writes ones, seen in `status` where not masked, reported by
 * the abnormal interrupt where enabled. An error that is selected in `oooShutdownSel` blocks the bus master at once.
 */
export class ErrorBlock {
  constructor(
    private readonly registers: RegisterFile,
    private readonly names: ErrorRegisters,
    private readonly actions: { interrupt: () => void; shutdown: () => void },
  ) {
    registers.onRead(names.status, () => this.status);
    registers.onWrite(names.set, (bits) => this.raise(bits));
  }

  raise(bits: number): void {
    const { registers, names, actions } = this;
    registers.set(names.source, registers.get(names.source) | bits);
    if ((bits & registers.get(names.oooShutdownSel)) !== 0) actions.shutdown();
    const enabled =
      registers.get(names.rasCeEnable) | registers.get(names.rasNfeEnable) | registers.get(names.rasFeEnable);
    if ((this.status & enabled & bits) !== 0) actions.interrupt();
  }

  private get status(): number {
    const { registers, names } = this;
    return (registers.get(names.source) & ~registers.get(names.mask)) >>> 0;
  }
}
