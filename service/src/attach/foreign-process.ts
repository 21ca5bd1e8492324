import { statSync } from 'node:fs';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { QueueState } from '../../../shared/src/telemetry.ts';
import { iova, PAGE_BYTES, physAddr } from '../../../shared/src/units.ts';
import { DUS_BYTES, MMIO_BYTES } from '../hw-abi/dus.ts';
import type { Permissions } from '../kernel/iommu/address-space.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { RemoteProcess } from '../kernel/remote-process.ts';
import type { AttachRequest, QueueHandle, QueueRequest } from '../platform/accelerator.ts';
import type { Clock } from '../platform/clock.ts';
import type { DeviceBus } from '../platform/device-bus.ts';
import { type PeerCredentials, readProcess } from '../platform/libc.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import { openProcessMemory, type ProcessMemory } from '../platform/process-memory.ts';
import { createSharedFile, type SharedFile } from '../platform/shared-file.ts';
import { DoorbellPoller } from './doorbell-poller.ts';
import { REGION_DUS_OFFSET } from './protocol.ts';

/** A process's shared DMA memory is bounded, because it is the service's memory until the process goes. */
const MAX_DMA_BYTES = 256 * 1024 * 1024;
/** … and so is the number of its pieces: each is a mapping, of which a process has some 65 000 (vm.max_map_count). */
const MAX_DMA_FILES = 64;

export interface OpenQueue {
  readonly handle: QueueHandle & { readonly state: QueueState };
  readonly mmioBytes: number;
  readonly dusBytes: number;
  /** File that both sides map; its name goes at start. */
  readonly regionPath: string;
}

export interface ForeignProcessesOptions {
  kernel: Kernel;
  bus: DeviceBus;
  memory: PhysicalMemory;
  clock: Clock;
  /** Resolves when no engine core works for a stopped queue any more; undefined = none does. */
  drain: () => Promise<void> | undefined;
}

/** All processes outside the service that have queues. */
export class ForeignProcesses {
  private readonly poller: DoorbellPoller;

  constructor(private readonly options: ForeignProcessesOptions) {
    this.poller = new DoorbellPoller(options.clock);
  }

  /** @throws WD_E_EINVAL, WD_E_EPERM, WD_E_NO_QUEUE, WD_E_EACCES when the host does not let us look at the process */
  attach(request: AttachRequest, peer: PeerCredentials, isAdmin: boolean): ForeignProcess {
    return new ForeignProcess(request, peer, isAdmin, this.poller, this.options);
  }

  /** A doorbell was rung while the device slept. */
  kick(): void {
    this.poller.kick();
  }
}

interface HeldQueue extends OpenQueue {
  readonly file: SharedFile;
}

/**
 * One real process: its kernel-side task, the files it shares with the device, and the device's eye on its
 * doorbells. `close` is its death and frees all of it.
 */
export class ForeignProcess {
  readonly pid = process.pid;
  private readonly remote: RemoteProcess;
  private readonly processMemory: ProcessMemory;
  private readonly queues = new Map<number, HeldQueue>();
  private readonly dmaFiles: { file: SharedFile; physical: ReturnType<PhysicalMemory['addWindow']> }[] = [];
  private dmaBytes = 0;

  constructor(
    request: AttachRequest,
    private readonly peer: PeerCredentials,
    isAdmin: boolean,
    private readonly poller: DoorbellPoller,
    private readonly options: ForeignProcessesOptions,
  ) {
    if (request.mode === 'sva') checkReachable(peer.pid);
    this.processMemory = openMemory(peer);
    try {
      this.remote = options.kernel.attachRemote({ ...request, memory: this.processMemory, isAdmin });
    } catch (error) {
      this.processMemory.close();
      throw error;
    }
  }

  openQueue(request: QueueRequest): OpenQueue {
    const { memory, bus } = this.options;
    const file = createSharedFile(REGION_DUS_OFFSET + DUS_BYTES, this.peer);
    const physical = memory.addWindow(file.buffer);
    const release = (): void => {
      memory.dropWindow(physical);
      file.unlink();
      file.unmap();
    };
    let isTaken = false;
    try {
      const handle = this.remote.openQueue(request, () => {
        isTaken = true;
        return { physical: physAddr(physical + REGION_DUS_OFFSET), free: release };
      });
      const page = new Uint32Array(file.buffer, 0, MMIO_BYTES / 4);
      this.poller.add(handle.qpId, page, bus.doorbellPage(handle.qpId));
      handle.whenClosed(() => this.poller.remove(handle.qpId));
      const queue = { handle, mmioBytes: MMIO_BYTES, dusBytes: DUS_BYTES, regionPath: file.path, file };
      this.queues.set(handle.qpId, queue);
      return queue;
    } catch (error) {
      if (!isTaken) release();
      throw error;
    }
  }

  startQueue(qpId: number): void {
    const queue = this.held(qpId);
    queue.file.unlink(); // the process has mapped it; nobody else may
    queue.handle.start();
  }

  closeQueue(qpId: number): void {
    this.held(qpId).handle.close();
    this.queues.delete(qpId);
  }

  mapDma(virtual: number, address: number, bytes: number, permissions: Permissions): void {
    this.remote.mapDma(virtual, iova(address), bytes, permissions);
  }

  unmapDma(address: number, bytes: number): number {
    return this.remote.unmapDma(iova(address), bytes);
  }

  /** Memory that the service makes and both map. It lives as long as the process is attached. */
  allocateDma(bytes: number): { address: number; bytes: number; path: string } {
    const whole = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    if (this.dmaFiles.length >= MAX_DMA_FILES)
      throw new WarpDriveError('WD_E_NO_MEMORY', `${MAX_DMA_FILES} pieces of shared DMA memory are out`, {
        errno: 'ENOMEM',
        limitPieces: MAX_DMA_FILES,
      });
    if (!(whole > 0) || this.dmaBytes + whole > MAX_DMA_BYTES)
      throw new WarpDriveError(
        'WD_E_NO_MEMORY',
        `${bytes} bytes of shared DMA memory, ${MAX_DMA_BYTES} are allowed in all`,
        {
          errno: 'ENOMEM',
          limitBytes: MAX_DMA_BYTES,
        },
      );
    const file = createSharedFile(whole, this.peer);
    const physical = this.options.memory.addWindow(file.buffer);
    this.dmaFiles.push({ file, physical });
    this.dmaBytes += whole;
    return { address: this.remote.mapShared(physical, whole), bytes: whole, path: file.path };
  }

  close(): void {
    this.remote.close();
    this.queues.clear();
    this.processMemory.close();
    const { memory, drain } = this.options;
    const files = this.dmaFiles.splice(0);
    const release = (): void => {
      for (const { file, physical } of files) {
        memory.dropWindow(physical);
        file.unlink();
        file.unmap();
      }
    };
    const draining = drain();
    if (draining) void draining.then(release);
    else release();
  }

  private held(qpId: number): HeldQueue {
    const queue = this.queues.get(qpId);
    if (!queue)
      throw new WarpDriveError('WD_E_EINVAL', `queue ${qpId} is not open in this process`, {
        field: 'queue',
      });
    return queue;
  }
}

/** No process maps page 0: EFAULT means that we may look, EPERM that the host forbids it (Yama, containers). */
function checkReachable(pid: number): void {
  const probe = readProcess(pid, 0, new Uint8Array(1));
  if (probe.ok || probe.errno !== 'EPERM') return;
  throw new WarpDriveError(
    'WD_E_EACCES',
    `the host does not let the service read process ${pid}: attach in mode vfio and use memory of allocate()`,
    { errno: 'EACCES' },
  );
}

/** @throws WD_E_EACCES when the host does not let us, or the process is not the peer's any more */
function openMemory({ pid, uid }: PeerCredentials): ProcessMemory {
  let memory: ProcessMemory;
  try {
    memory = openProcessMemory(pid);
  } catch (error) {
    throw new WarpDriveError(
      'WD_E_EACCES',
      `the host does not let the service look at process ${pid}; run both as the same user`,
      { errno: 'EACCES' },
      { cause: error },
    );
  }
  // opened first, looked at then: what owns /proc/<pid> now had no chance to come in between
  const owner = ownerOf(pid);
  if (owner === uid) return memory;
  memory.close();
  throw new WarpDriveError('WD_E_EACCES', `process ${pid} is not user ${uid}'s, who connected`, {
    errno: 'EACCES',
  });
}

/** Whose a process is; root's while it executes a program with other rights than its caller's (proc(5)). */
function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined;
  }
}
