/**
 * Branded numbers for values that must not be mixed up. Addresses are plain doubles, because every address the
 * stack handles (48-bit SMMU input range, x86-64 user space) is far below 2^53 and bigint costs 10 × per page walk.
 */
declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]: Name };

/** Address as the device uses it; under SVA the process's own virtual address. */
export type Iova = Unit<'iova'>;
/** Byte offset into the emulated machine's physical memory. */
export type PhysAddr = Unit<'pa'>;
/** Address-space tag on the bus, 20 bits; 0 means a request without PASID. Kernel side and admin fault records only. */
export type Pasid = Unit<'pasid'>;
/** Requester identity that the IOMMU sees: bus << 8 | devfn. */
export type StreamId = Unit<'sid'>;

export const iova = (value: number): Iova => value as Iova;
export const physAddr = (value: number): PhysAddr => value as PhysAddr;
export const pasid = (value: number): Pasid => value as Pasid;
export const streamId = (value: number): StreamId => value as StreamId;

export const PAGE_SHIFT = 12;
export const PAGE_BYTES = 4096;
export const KIB = 1024;
export const MIB = 1024 * 1024;

export const isPowerOfTwo = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value));
/** `0x` and at least `digits` hex digits, for addresses and registers in messages. */
export const hex = (value: number, digits = 8): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** Ends an exhaustive switch: a new variant is a compile error here. */
export function assertNever(value: never): never {
  throw new Error(`unexpected variant ${JSON.stringify(value)}`);
}
