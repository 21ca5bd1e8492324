import { WarpDriveError } from '../../../../shared/src/problem.ts';
import { hex } from '../../../../shared/src/units.ts';
import type { Register } from '../../hw-abi/register.ts';
import type { DeviceBus } from '../../platform/device-bus.ts';

/** Reads before a register is given up. The emulated device answers the first; silicon gets 1000 µs. */
const MAX_READS = 100;

/** The driver's readl and writel, by the register tables. */
export class RegisterAccess {
  constructor(readonly bus: DeviceBus) {}

  read(register: Register): number {
    return this.bus.read32(register.offset);
  }

  write(register: Register, value: number): void {
    this.bus.write32(register.offset, value);
  }

  /** @throws WD_E_DEVICE (ETIMEDOUT) when the value never comes */
  await(register: Register, isThere: (value: number) => boolean): void {
    for (let i = 0; i < MAX_READS; i++) if (isThere(this.read(register))) return;
    throw new WarpDriveError('WD_E_DEVICE', `register ${hex(register.offset)} did not get ready`, {
      errno: 'ETIMEDOUT',
    });
  }
}
