import { hex, type Iova, PAGE_BYTES, type PhysAddr } from '../../../shared/src/units.ts';
import { kernelError } from './errno.ts';
import { type AddressSpace, INPUT_ADDRESS_LIMIT, type Permissions } from './iommu/address-space.ts';

export interface DmaMapOptions {
  /** Bytes that may be pinned at once (RLIMIT_MEMLOCK). */
  limitBytes: number;
  /**
   * Where `bytes` bytes of the owner's memory at `virtual` are: a physical address, or a processTarget. Undefined: not
   * the owner's memory.
   */
  resolve(virtual: number, bytes: number): PhysAddr | undefined;
}

interface Mapping {
  readonly iova: Iova;
  readonly bytes: number;
}

/**
 * What a process mapped for DMA in one I/O page table: MAP_DMA and UNMAP_DMA with type1's checks (Linux
 * drivers/vfio/vfio_iommu_type1.c). Pages are pinned: they never fault.
 */
export class DmaMap {
  private readonly mappings = new Map<number, Mapping>();
  private pinned = 0;

  constructor(
    private readonly space: AddressSpace,
    private readonly options: DmaMapOptions,
  ) {}

  get pinnedBytes(): number {
    return this.pinned;
  }

  /**
   * @throws WD_E_EINVAL not whole pages, empty, wrap-around, no permission; WD_E_EEXIST overlap; WD_E_NO_MEMORY over
   * the lock limit; WD_E_EFAULT not the owner's memory
   */
  map(virtual: number, iova: Iova, bytes: number, permissions: Permissions): void {
    const isWhole = [virtual, iova, bytes].every(
      (value) => Number.isSafeInteger(value) && value % PAGE_BYTES === 0,
    );
    if (!isWhole || bytes <= 0 || virtual < 0 || iova < 0 || iova + bytes > INPUT_ADDRESS_LIMIT)
      throw kernelError(
        'EINVAL',
        `MAP_DMA of ${bytes} bytes at iova ${hex(iova, 12)}, vaddr ${hex(virtual, 12)} is not whole pages in range`,
        { field: 'size' },
      );
    if (!permissions.read && !permissions.write)
      throw kernelError('EINVAL', 'MAP_DMA asks for neither read nor write', { field: 'flags' });
    this.checkLimit(bytes);
    const target = this.options.resolve(virtual, bytes);
    if (target === undefined)
      throw kernelError('EFAULT', `vaddr ${hex(virtual, 12)} + ${bytes} is not memory of this process`, {
        field: 'vaddr',
      });
    this.space.map(iova, target, bytes, permissions);
    this.mappings.set(iova, { iova, bytes });
    this.pinned += bytes;
  }

  /**
   * Maps physical memory that the owner shares with the device, at an address that nobody uses.
   * @throws WD_E_NO_MEMORY over the lock limit
   */
  mapShared(target: PhysAddr, bytes: number): Iova {
    this.checkLimit(bytes);
    const iova = this.space.reserve(bytes);
    this.space.map(iova, target, bytes, { read: true, write: true });
    this.mappings.set(iova, { iova, bytes });
    this.pinned += bytes;
    return iova;
  }

  /**
   * Removes the mappings that lie wholly in the range. When it returns no device reaches them and no translation of
   * them is cached: their memory may be released.
   * @returns bytes unmapped
   * @throws WD_E_EINVAL not whole pages, or the range cuts a mapping in two (type1 v2)
   */
  unmap(iova: Iova, bytes: number): number {
    const isWhole = [iova, bytes].every((value) => Number.isSafeInteger(value) && value % PAGE_BYTES === 0);
    if (!isWhole || bytes <= 0 || iova < 0 || iova + bytes > INPUT_ADDRESS_LIMIT)
      throw kernelError('EINVAL', `UNMAP_DMA of ${bytes} bytes at iova ${hex(iova, 12)} is not whole pages`, {
        field: 'size',
      });
    const touched = [...this.mappings.values()].filter(
      (mapping) => mapping.iova < iova + bytes && mapping.iova + mapping.bytes > iova,
    );
    const cut = touched.find((mapping) => mapping.iova < iova || mapping.iova + mapping.bytes > iova + bytes);
    if (cut)
      throw kernelError('EINVAL', `UNMAP_DMA would cut the mapping at iova ${hex(cut.iova, 12)}`, {
        field: 'iova',
      });
    for (const mapping of touched) this.drop(mapping);
    return touched.reduce((sum, mapping) => sum + mapping.bytes, 0);
  }

  clear(): void {
    for (const mapping of [...this.mappings.values()]) this.drop(mapping);
  }

  private checkLimit(bytes: number): void {
    const { limitBytes } = this.options;
    if (this.pinned + bytes > limitBytes)
      throw kernelError(
        'ENOMEM',
        `RLIMIT_MEMLOCK (${limitBytes}) exceeded: ${this.pinned} bytes are pinned, ${bytes} more asked`,
        { limitBytes },
      );
  }

  private drop({ iova, bytes }: Mapping): void {
    this.space.unmap(iova, bytes);
    this.mappings.delete(iova);
    this.pinned -= bytes;
  }
}
