import { type Iova, iova, PAGE_BYTES, type PhysAddr } from '../../../shared/src/units.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import type { AddressSpace } from './iommu/address-space.ts';

/** Contiguous memory that the kernel shares with a device, as Linux's dma_alloc_coherent. */
export interface CoherentBuffer {
  /** What the device is told. */
  readonly address: Iova;
  readonly physical: PhysAddr;
  free(): void;
}

/** Kernel memory for queues and contexts, mapped in the space of traffic without PASID. */
export class CoherentMemory {
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly space: AddressSpace,
  ) {}

  /** @throws WD_E_NO_MEMORY */
  allocate(bytes: number): CoherentBuffer {
    const wholePages = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    const physical = this.memory.allocate(wholePages);
    return this.share({ physical, free: () => this.memory.release(physical, wholePages) }, wholePages);
  }

  /** Maps whole pages that somebody else made; `free` frees them too. */
  share(made: { physical: PhysAddr; free(): void }, bytes: number): CoherentBuffer {
    const wholePages = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    const { physical } = made;
    const isIdentity = this.space.kind === 'identity';
    const address = isIdentity ? iova(physical) : this.space.reserve(wholePages);
    if (!isIdentity) this.space.map(address, physical, wholePages, { read: true, write: true });
    return {
      address,
      physical,
      free: () => {
        if (!isIdentity) this.space.unmap(address, wholePages);
        made.free();
      },
    };
  }
}
