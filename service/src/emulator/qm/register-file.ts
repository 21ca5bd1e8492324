import { hex } from '../../../../shared/src/units.ts';
import type { Register } from '../../hw-abi/register.ts';
import type { Log } from '../../platform/log.ts';

interface Cell {
  readonly register: Register;
  value: number;
  read?: () => number;
  written?: (value: number) => void;
}

/**
 * The device's 32-bit registers by offset. What a table lists answers by its access; everything else reads as all ones
 * and drops writes, each with a warning, so that software never meets silence.
 */
export class RegisterFile {
  private readonly cells = new Map<number, Cell>();

  constructor(
    registers: Iterable<Register>,
    private readonly log: Log,
  ) {
    for (const register of registers) this.cells.set(register.offset, { register, value: register.reset });
  }

  /** What software reads. */
  read(offset: number): number {
    const cell = this.cells.get(offset);
    if (!cell) {
      this.log.warn({ offset: hex(offset) }, 'read of unmapped ZIP register');
      return 0xffff_ffff;
    }
    if (cell.register.access === 'WO') return 0;
    return (cell.read?.() ?? cell.value) >>> 0;
  }

  /** What software writes. */
  write(offset: number, value: number): void {
    const cell = this.cells.get(offset);
    const access = cell?.register.access ?? 'RO';
    if (!cell || access === 'RO') {
      const message = cell ? 'write to read-only ZIP register' : 'write to unmapped ZIP register';
      this.log.warn({ offset: hex(offset), value: hex(value) }, message);
      return;
    }
    if (access === 'RW') cell.value = value >>> 0;
    else if (access === 'W1C') cell.value = (cell.value & ~value) >>> 0;
    cell.written?.(value >>> 0);
  }

  /** The device's own view of a register, whatever its access. */
  get(register: Register): number {
    return this.cell(register).value;
  }

  set(register: Register, value: number): void {
    this.cell(register).value = value >>> 0;
  }

  /** The register's value is made when software reads it. */
  onRead(register: Register, read: () => number): void {
    this.cell(register).read = read;
  }

  /** Calls back after software wrote, with what it wrote. */
  onWrite(register: Register, written: (value: number) => void): void {
    this.cell(register).written = written;
  }

  /** Reset values everywhere. */
  reset(): void {
    for (const cell of this.cells.values()) cell.value = cell.register.reset;
  }

  private cell(register: Register): Cell {
    const cell = this.cells.get(register.offset);
    if (!cell) throw new Error(`register ${hex(register.offset)} is in no table of this device`);
    return cell;
  }
}
