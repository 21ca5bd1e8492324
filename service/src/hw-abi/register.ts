/** RO the device writes; RW software writes; W1C writing ones clears; WO reads as 0. */
export type RegisterAccess = 'RO' | 'RW' | 'W1C' | 'WO';

/** One 32-bit register of the device. */
export interface Register {
  /** From the start of the function's registers (BAR2). */
  readonly offset: number;
  readonly access: RegisterAccess;
  /** Value after a controller reset. Where no source gives one it is 0, or "masked" for interrupt masks. */
  readonly reset: number;
  readonly source: string;
}

export const register = (
  offset: number,
  access: RegisterAccess,
  reset: number,
  source: string,
): Register => ({ offset, access, reset, source });
