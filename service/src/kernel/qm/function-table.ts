import { CQC_VFT_VALID_BIT, QM_REGISTERS, SQC_VFT, VFT_TYPE } from '../../hw-abi/qm-registers.ts';
import type { RegisterAccess } from './register-access.ts';

const WORD = 2 ** 32;

/**
 * Writes a function's SQC and CQC entries (qm_set_sqc_cqc_vft): it owns `count` queues from `base` on; 0 takes all.
 * @throws WD_E_DEVICE when the table does not get ready
 */
export function assignQueues(registers: RegisterAccess, fn: number, base: number, count: number): void {
  const sqc = base * 2 ** SQC_VFT.baseShift + 2 ** SQC_VFT.validBit + (count - 1) * 2 ** SQC_VFT.countShift;
  writeEntry(registers, VFT_TYPE.sqc, fn, count === 0 ? 0 : sqc);
  writeEntry(registers, VFT_TYPE.cqc, fn, count === 0 ? 0 : 2 ** CQC_VFT_VALID_BIT);
}

/** qm_set_vft_common. @param selected function number, for a shaper entry with its type from bit 6 */
export function writeEntry(registers: RegisterAccess, type: number, selected: number, entry: number): void {
  registers.await(QM_REGISTERS.vftCfgReady, (value) => (value & 1) === 1);
  registers.write(QM_REGISTERS.vftCfgOpWr, 0);
  registers.write(QM_REGISTERS.vftCfgType, type);
  registers.write(QM_REGISTERS.vftCfg, selected);
  registers.write(QM_REGISTERS.vftCfgDataL, entry % WORD);
  registers.write(QM_REGISTERS.vftCfgDataH, Math.floor(entry / WORD));
  registers.write(QM_REGISTERS.vftCfgReady, 0);
  registers.write(QM_REGISTERS.vftCfgOpEnable, 1);
  registers.await(QM_REGISTERS.vftCfgReady, (value) => (value & 1) === 1);
}
