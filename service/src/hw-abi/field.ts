/** Who writes a descriptor field: software (`in`), the device (`out`) or both in turn. */
export type Direction = 'in' | 'out' | 'in/out';

/** One bit field of a descriptor that consists of 32-bit little-endian words. */
export interface Field {
  readonly dword: number;
  /** Lowest bit. */
  readonly shift: number;
  readonly bits: number;
  readonly direction: Direction;
  readonly source: string;
}

export const field = (
  dword: number,
  shift: number,
  bits: number,
  direction: Direction,
  source: string,
): Field => ({ dword, shift, bits, direction, source });

const maskOf = (f: Field): number => (f.bits === 32 ? 0xffff_ffff : (1 << f.bits) - 1);

/** Reads a field of the descriptor that starts at word `base`. @returns unsigned */
export function getField(words: Uint32Array, base: number, f: Field): number {
  return (((words[base + f.dword] ?? 0) >>> f.shift) & maskOf(f)) >>> 0;
}

/** Writes a field and leaves its neighbours alone; excess high bits of `value` are cut off. */
export function setField(words: Uint32Array, base: number, f: Field, value: number): void {
  const at = base + f.dword;
  const mask = maskOf(f);
  words[at] = ((words[at] ?? 0) & ~(mask << f.shift)) | ((value & mask) << f.shift);
}

/** A 64-bit address in two words, low first. */
export interface AddressField {
  readonly low: Field;
  readonly high: Field;
}

export const addressField = (lowDword: number, direction: Direction, source: string): AddressField => ({
  low: field(lowDword, 0, 32, direction, source),
  high: field(lowDword + 1, 0, 32, direction, source),
});

/** @returns a double; exact up to 2^53, beyond that rounded, which no mapping can match. */
export function getAddress(words: Uint32Array, base: number, f: AddressField): number {
  return getField(words, base, f.high) * 0x1_0000_0000 + getField(words, base, f.low);
}

export function setAddress(words: Uint32Array, base: number, f: AddressField, address: number): void {
  setField(words, base, f.low, address % 0x1_0000_0000);
  setField(words, base, f.high, Math.floor(address / 0x1_0000_0000));
}
