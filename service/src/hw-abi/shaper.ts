/**
 * The rate shaper's entry in the function table (sources.md 5.12; Linux drivers/crypto/hisilicon/qm.c,
 * qm_vft_data_cfg). Rate in Mbit/s = (b × 8000 × 2^u) / (768 × 2^s).
 */
import { field } from './field.ts';

const QM = 'Linux drivers/crypto/hisilicon/qm.c';

export const SHAPER_VFT = {
  cirB: field(0, 0, 8, 'in', `${QM} IR_b`),
  cirU: field(0, 8, 3, 'in', `${QM} QM_SHAPER_FACTOR_CIR_U_SHIFT`),
  cirS: field(0, 11, 4, 'in', `${QM} QM_SHAPER_FACTOR_CIR_S_SHIFT`),
  cbsB: field(0, 15, 4, 'in', `${QM} QM_SHAPER_FACTOR_CBS_B_SHIFT`),
  cbsS: field(0, 19, 5, 'in', `${QM} QM_SHAPER_FACTOR_CBS_S_SHIFT`),
} as const;
export const SHAPER_CLOCK = 8000;
export const SHAPER_TICK = 768;

/** `alg_qos` counts in steps of 100 Mbit/s. */
export const QOS_MIN = 1;
export const QOS_MAX = 1000;
export const QOS_STEP_MBIT = 100;

/** Numerator and denominator of the rate, Mbit/s. */
export const shaperRate = (b: number, u: number, s: number): number =>
  (b * SHAPER_CLOCK * 2 ** u) / (SHAPER_TICK * 2 ** s);
