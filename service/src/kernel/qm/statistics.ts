/** What the driver counts (struct qm_dfx); debugfs shows each under its kernel name and takes 0 to clear it. */
export interface QmStatistics {
  /** EQ interrupts without an entry. */
  errIrq: number;
  aeqIrq: number;
  abnormalIrq: number;
  mbErr: number;
}

export const newQmStatistics = (): QmStatistics => ({
  errIrq: 0,
  aeqIrq: 0,
  abnormalIrq: 0,
  mbErr: 0,
});
