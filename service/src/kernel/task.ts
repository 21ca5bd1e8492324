import type { QueueMode } from '../../../shared/src/telemetry.ts';
import type { PhysAddr } from '../../../shared/src/units.ts';
import type { TranslationSpace } from './iommu/space.ts';
import type { DusSource } from './queue-file.ts';

/** What an open descriptor is to the kernel when its process dies. */
export interface OpenFile {
  /** Idempotent. */
  close(): void;
}

export interface TaskOptions {
  owner: { pid: number; name: string };
  /** `sva`: devices use the process's own page table; the others map first, or have no IOMMU at all. */
  mode: QueueMode;
  /** CAP_SYS_ADMIN and CAP_SYS_RAWIO in one. */
  isAdmin: boolean;
  mm: TranslationSpace;
  /** RLIMIT_MEMLOCK. */
  memlockBytes?: number;
  /** Where `bytes` of the process's memory are, for MAP_DMA; see DmaMapOptions.resolve. */
  resolve: (virtual: number, bytes: number) => PhysAddr | undefined;
}

/** A process as the kernel sees it: credentials, address space, open descriptors. */
export class Task {
  private readonly files = new Set<OpenFile>();
  private hasExited = false;
  /** Memory for the DUS regions of queues that are opened next; undefined for processes inside the service. */
  dus: DusSource | undefined;

  constructor(readonly options: TaskOptions) {}

  get isAlive(): boolean {
    return !this.hasExited;
  }

  /** Registers a descriptor. @returns the function that forgets it */
  hold(file: OpenFile): () => void {
    this.files.add(file);
    return () => this.files.delete(file);
  }

  get openFiles(): number {
    return this.files.size;
  }

  /** What the kernel does when the process dies: every descriptor is closed, newest first. Idempotent. */
  exit(): void {
    this.hasExited = true;
    for (const file of [...this.files].reverse()) file.close();
    this.files.clear();
  }
}
