/** Registers that a driver waits for, as an idle device answers them (sources.md 5.7, 5.9); all others read 0. */
const READY: Record<number, number> = {
  1048644: 1, // memory initialised
  1048684: 1, // function table ready
  3146064: 3, // no transaction on the bus
};

export const readyRegister = (offset: number): number => READY[offset] ?? 0;
