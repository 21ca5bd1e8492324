import { setField } from '../../hw-abi/field.ts';
import { QM_REGISTERS, SHAPER_TYPE_RATE, VFT_TYPE } from '../../hw-abi/qm-registers.ts';
import { QOS_STEP_MBIT, SHAPER_VFT, shaperRate } from '../../hw-abi/shaper.ts';
import { kernelError } from '../errno.ts';
import { writeEntry } from './function-table.ts';
import type { RegisterAccess } from './register-access.ts';

/** Rates in Mbit/s up to which each exponent holds (shaper_cir_s, shaper_cbs_s of qm.c). */
const CIR_S: readonly (readonly [upTo: number, s: number])[] = [
  [100, 4],
  [200, 3],
  [500, 2],
  [1000, 1],
  [100_000, 0],
];
const CBS_S: readonly (readonly [upTo: number, s: number])[] = [
  [200, 9],
  [500, 11],
  [1000, 12],
  [10_000, 16],
  [25_000, 17],
  [50_000, 18],
  [100_000, 19],
];
const CBS_B = 1;
const MIN_B = 100;
const MAX_B = 200;
const MAX_U = 6;
const MAX_ERROR_PER_MILLE = 5;
const TYPE_SHIFT = 6;
const TYPES = [0, 1];

/** @param qos 1–1000, steps of 100 Mbit/s @returns the low word of the entry @throws WD_E_EINVAL no factors fit */
export function shaperEntry(qos: number): number {
  const rate = qos * QOS_STEP_MBIT;
  const s = exponentOf(CIR_S, rate);
  for (let b = MIN_B; b <= MAX_B; b++)
    for (let u = 0; u <= MAX_U; u++) {
      const reached = Math.floor(shaperRate(b, u, s));
      if (Math.floor((1000 * Math.abs(reached - rate)) / rate) > MAX_ERROR_PER_MILLE) continue;
      const words = new Uint32Array(1);
      setField(words, 0, SHAPER_VFT.cirB, b);
      setField(words, 0, SHAPER_VFT.cirU, u);
      setField(words, 0, SHAPER_VFT.cirS, s);
      setField(words, 0, SHAPER_VFT.cbsB, CBS_B);
      setField(words, 0, SHAPER_VFT.cbsS, exponentOf(CBS_S, rate));
      return words[0] ?? 0;
    }
  throw kernelError('EINVAL', 'failed to calculate shaper parameter', { value: qos });
}

/** Limits a function: the shares of both types, then their entries (qm_shaper_init_vft, qm_func_shaper_enable). */
export function shapeFunction(registers: RegisterAccess, fn: number, qos: number): void {
  const { compress, decompress, typeShift } = SHAPER_TYPE_RATE;
  registers.write(QM_REGISTERS.shaperCfg, compress | (decompress << typeShift));
  const entry = shaperEntry(qos);
  for (const type of TYPES) writeEntry(registers, VFT_TYPE.shaper, fn | (type << TYPE_SHIFT), entry);
}

const exponentOf = (table: readonly (readonly [number, number])[], rate: number): number =>
  table.find(([upTo]) => rate <= upTo)?.[1] ?? 0;
