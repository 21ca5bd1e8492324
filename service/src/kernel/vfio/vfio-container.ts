import { type Iova, iova, PAGE_BYTES, type PhysAddr } from '../../../../shared/src/units.ts';
import { DmaMap } from '../dma-map.ts';
import { kernelError } from '../errno.ts';
import { checkArgsz, numberOf, structOf } from '../ioctl-argument.ts';
import { AddressSpace } from '../iommu/address-space.ts';
import type { IommuGroup } from '../iommu/group.ts';
import type { TranslationSpace } from '../iommu/space.ts';
import type { OpenFile, Task } from '../task.ts';
import { ARGSZ, DMA_FLAG, VFIO, VFIO_API_VERSION, VFIO_TYPE } from './numbers.ts';
import type { VfioGroup } from './vfio-group.ts';

const PAGE_SIZES_VALID = 1;
const DMA_FLAGS = DMA_FLAG.read | DMA_FLAG.write;

/** What a container knows of the machine. */
export interface ContainerMachine {
  readonly isIommuOff: boolean;
  /** Without it a device could forge interrupts, and type1 refuses (the module's option allows it). */
  readonly hasInterruptRemapping: boolean;
  /** Where private I/O page tables start to hand out addresses. */
  readonly privateBase: number;
  /** Table of requests without PASID of the groups' parent: what domain kind `inherit` maps into. */
  readonly parentSpace: AddressSpace;
}

/**
 * /dev/vfio/vfio: one set of DMA mappings for the groups in it (Linux drivers/vfio, type1). Under SVA the same calls
 * answer the same; the device then uses the process's own page table and needs no mapping.
 */
export class VfioContainer implements OpenFile {
  private readonly groups = new Set<VfioGroup>();
  private readonly attached = new Map<IommuGroup, number>();
  private type: number | undefined;
  private map: DmaMap | undefined;
  private table: AddressSpace | undefined;
  private isOpen = true;

  constructor(
    private readonly task: Task,
    private readonly machine: ContainerMachine,
    private readonly onRelease: () => void,
  ) {}

  get hasIommu(): boolean {
    return this.type !== undefined;
  }

  /** Numbers of the parents' IOMMU groups that share this container's domain. */
  get attachedGroups(): number[] {
    return [...this.attached.keys()].map(({ id }) => id);
  }

  get pinnedBytes(): number {
    return this.map?.pinnedBytes ?? 0;
  }

  /**
   * @returns 0, a number, or the structure that the ioctl fills in
   * @throws WD_E_ENOTTY unknown number; WD_E_EINVAL; WD_E_EFAULT; WD_E_EEXIST; WD_E_NO_MEMORY; WD_E_ENODEV;
   * WD_E_EPERM; WD_E_ESRCH the process has exited
   */
  ioctl(number: number, argument?: unknown): number | object {
    if (!this.isOpen) throw kernelError('EINVAL', 'the container is closed');
    switch (number) {
      case VFIO.GET_API_VERSION:
        return VFIO_API_VERSION;
      case VFIO.CHECK_EXTENSION:
        return this.supports(argument) ? 1 : 0;
      case VFIO.SET_IOMMU:
        this.setIommu(argument);
        return 0;
      case VFIO.IOMMU_GET_INFO:
        checkArgsz(structOf(argument), ARGSZ.iommuInfo);
        this.needMap();
        return { argsz: ARGSZ.iommuInfo, flags: PAGE_SIZES_VALID, iova_pgsizes: PAGE_BYTES };
      case VFIO.IOMMU_MAP_DMA: {
        const struct = structOf(argument);
        checkArgsz(struct, ARGSZ.map);
        const flags = numberOf(struct, 'flags');
        if ((flags & ~DMA_FLAGS) !== 0)
          throw kernelError('EINVAL', `MAP_DMA flags 0x${flags.toString(16)} are unknown`, {
            field: 'flags',
          });
        this.mapDma(
          numberOf(struct, 'vaddr'),
          iova(numberOf(struct, 'iova')),
          numberOf(struct, 'size'),
          flags,
        );
        return 0;
      }
      case VFIO.IOMMU_UNMAP_DMA: {
        const struct = structOf(argument);
        checkArgsz(struct, ARGSZ.unmap);
        if (numberOf(struct, 'flags') !== 0)
          throw kernelError('EINVAL', 'UNMAP_DMA flags are unknown', { field: 'flags' });
        const address = iova(numberOf(struct, 'iova'));
        const size = this.unmapDma(address, numberOf(struct, 'size'));
        return { argsz: ARGSZ.unmap, flags: 0, iova: address, size };
      }
      default:
        throw kernelError('ENOTTY', `0x${number.toString(16)} is no ioctl of a VFIO container`, {
          field: 'number',
        });
    }
  }

  /** @param flags DMA_FLAG bits */
  mapDma(virtual: number, address: Iova, bytes: number, flags: number): void {
    if (!this.task.isAlive) throw kernelError('ESRCH', `process ${this.task.options.owner.pid} has exited`);
    this.needMap().map(virtual, address, bytes, {
      read: (flags & DMA_FLAG.read) !== 0,
      write: (flags & DMA_FLAG.write) !== 0,
    });
  }

  /** Maps memory that the service shares with the process. @throws WD_E_NO_MEMORY, WD_E_EINVAL before SET_IOMMU */
  mapShared(target: PhysAddr, bytes: number): Iova {
    return this.needMap().mapShared(target, bytes);
  }

  /** @returns bytes unmapped; their memory may be released */
  unmapDma(address: Iova, bytes: number): number {
    return this.needMap().unmap(address, bytes);
  }

  /** Called by GROUP_SET_CONTAINER. @throws WD_E_EINVAL another kind of domain; WD_E_EPERM, WD_E_EINVAL of attach */
  add(group: VfioGroup): void {
    for (const other of this.groups)
      if (other.domain !== group.domain)
        throw kernelError('EINVAL', `a container of ${other.domain} domains takes no ${group.domain} one`);
    if (this.hasIommu) this.attach(group);
    this.groups.add(group);
  }

  /** Called by GROUP_UNSET_CONTAINER. The mappings go with the last group. */
  remove(group: VfioGroup): void {
    if (!this.groups.delete(group)) return;
    if (this.hasIommu) this.detach(group);
    if (this.groups.size > 0) return;
    this.map?.clear();
    this.map = undefined;
    this.table = undefined;
    this.type = undefined;
  }

  /**
   * The address space that devices of this container are bound to by PASID; undefined: requests carry none.
   */
  boundSpace(group: VfioGroup): TranslationSpace | undefined {
    if (this.machine.isIommuOff || group.domain !== 'private') return undefined;
    if (this.task.options.mode === 'sva') return this.task.options.mm;
    return this.table;
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const group of [...this.groups]) group.close();
    this.onRelease();
  }

  private supports(argument: unknown): boolean {
    const { isIommuOff } = this.machine;
    if (argument === VFIO_TYPE.noiommu) return isIommuOff;
    return !isIommuOff && (argument === VFIO_TYPE.type1 || argument === VFIO_TYPE.type1v2);
  }

  private setIommu(argument: unknown): void {
    if (this.groups.size === 0 || this.hasIommu)
      throw kernelError(
        'EINVAL',
        this.hasIommu ? 'the container has an IOMMU' : 'the container has no group',
      );
    if (!this.supports(argument))
      throw kernelError('ENODEV', `IOMMU type ${String(argument)} is not offered`, { field: 'type' });
    if (argument === VFIO_TYPE.noiommu && !this.task.options.isAdmin)
      throw kernelError('EPERM', 'no-IOMMU mode needs CAP_SYS_RAWIO');
    const { mm, memlockBytes = Number.POSITIVE_INFINITY, resolve } = this.task.options;
    const [first] = this.groups;
    if (first?.domain === 'inherit' && mm.pid !== undefined)
      throw kernelError('EPERM', 'a process outside needs an address space of its own, not its parent’s');
    const done: VfioGroup[] = [];
    try {
      for (const group of this.groups) {
        this.attach(group);
        done.push(group);
      }
    } catch (error) {
      for (const group of done) this.detach(group);
      throw error;
    }
    this.type = Number(argument);
    if (this.machine.isIommuOff) return;
    this.table =
      first?.domain === 'inherit'
        ? this.machine.parentSpace
        : new AddressSpace('private', this.machine.privateBase, mm);
    this.map = new DmaMap(this.table, { limitBytes: memlockBytes, resolve });
  }

  /** Shares this container's domain with the IOMMU group of the mdev's parent (deck D2). */
  private attach(group: VfioGroup): void {
    if (!this.machine.hasInterruptRemapping && !this.machine.isIommuOff)
      throw kernelError('EPERM', 'the machine has no interrupt remapping');
    const parentGroup = group.parentGroup();
    const users = this.attached.get(parentGroup) ?? 0;
    if (users === 0) parentGroup.attach(this);
    this.attached.set(parentGroup, users + 1);
  }

  private detach(group: VfioGroup): void {
    const parentGroup = group.parentGroup();
    const users = (this.attached.get(parentGroup) ?? 1) - 1;
    if (users > 0) {
      this.attached.set(parentGroup, users);
      return;
    }
    this.attached.delete(parentGroup);
    parentGroup.detach(this);
  }

  private needMap(): DmaMap {
    if (this.machine.isIommuOff && this.hasIommu)
      throw kernelError('ENOTTY', 'without IOMMU there is nothing to map');
    if (!this.map) throw kernelError('EINVAL', 'the container has no IOMMU yet');
    return this.map;
  }
}
