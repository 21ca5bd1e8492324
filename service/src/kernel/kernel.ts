import type {
  DeviceSnapshot,
  FaultModel,
  FaultSnapshot,
  IommuSnapshot,
  MdevCreateRequest,
  MdevSnapshot,
  MdevTypeSnapshot,
  PageResponse,
} from '../../../shared/src/telemetry.ts';
import type { AcceleratorHost, AttachRequest } from '../platform/accelerator.ts';
import type { DeviceBus } from '../platform/device-bus.ts';
import { type Log, silentLog } from '../platform/log.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import type { ProcessMemory } from '../platform/process-memory.ts';
import { CoherentMemory } from './coherent-memory.ts';
import { DeferredRelease } from './deferred-release.ts';
import { kernelError } from './errno.ts';
import { AddressSpace } from './iommu/address-space.ts';
import { type FaultRecord, faultSnapshot } from './iommu/fault-record.ts';
import { IommuGroup } from './iommu/group.ts';
import type { Iommu } from './iommu/iommu.ts';
import { RemoteAddressSpace } from './iommu/remote-address-space.ts';
import { processTarget } from './iommu/space.ts';
import { iommuSnapshot } from './iommu-snapshot.ts';
import type { ParentDevice } from './mdev/parent-device.ts';
import { MdevAgent } from './mdev-agent.ts';
import { AttachedProcess } from './process.ts';
import { ControllerReset } from './qm/controller-reset.ts';
import { QueueManager } from './qm/queue-manager.ts';
import type { QueueWindow } from './qm/queue-partition.ts';
import type { QueueFile, QueueFileParts } from './queue-file.ts';
import { QueueRegistry, type QueueUser } from './queue-registry.ts';
import { RemoteProcess } from './remote-process.ts';
import type { FunctionStatistics } from './sysfs/debugfs.ts';
import { kernelTree } from './sysfs/kernel-tree.ts';
import type { Sysfs } from './sysfs/sysfs.ts';
import { Task, type TaskOptions } from './task.ts';
import { IsolationStrategy } from './uacce/isolation.ts';
import { UacceNode } from './uacce/uacce-node.ts';
import { Vfio } from './vfio/vfio.ts';

type Owner = AttachRequest['owner'];

/** Where private I/O page tables start: low, so that an address in a log line shows at once what it is. */
const PRIVATE_IOVA_BASE = 0x1000_0000;

export interface KernelParts {
  parent: ParentDevice;
  iommu: Iommu;
  memory: PhysicalMemory;
  bus: DeviceBus;
  /** true: the machine runs without IOMMU; only mode noiommu is offered, and only then. */
  isIommuOff: boolean;
  /** Queues that the device's function table gives to virtual functions. */
  functions?: readonly QueueWindow[];
  /** The device's own figures, from its debug counters. */
  cores: () => DeviceSnapshot['cores'];
  /** Promise for the end of the engine cores' work for stopped queues; undefined = there is none. */
  drain?: () => Promise<void> | undefined;
  /** For mdevs that are made on demand; absent: only those that root made are given out. */
  newUuid?: () => string;
  /** Absent: yes. */
  hasInterruptRemapping?: boolean;
  /** NUMA node that the device hangs on; -1 = unknown. */
  numaNode?: number;
  /** What the queues did, for debugfs; absent: nothing. */
  statistics?: () => FunctionStatistics;
  /** The kernel log; absent: silent. */
  log?: Log;
}

/** A real process outside the service that wants queues. */
export interface RemoteAttachRequest extends AttachRequest {
  /** Its memory, by which residency is asked. The caller closes it after the process. */
  memory: Pick<ProcessMemory, 'pid' | 'residentPages' | 'covers' | 'forbids' | 'isGone'>;
  isAdmin: boolean;
  /** RLIMIT_MEMLOCK for mode vfio; absent: no limit. */
  memlockBytes?: number;
}

/**
 * The kernel side as a model: one parent device behind one IOMMU. Attaches processes, hands out queues from mdevs
 * that root made beforehand, routes interrupts, and takes everything back when a process goes.
 */
export class Kernel implements AcceleratorHost {
  readonly uacce: UacceNode;
  readonly vfio: Vfio;
  readonly isolation: IsolationStrategy;
  readonly sysfs: Sysfs;
  private readonly coherent: CoherentMemory;
  private readonly queueParts: QueueFileParts;
  private readonly registry = new QueueRegistry();
  private readonly processes = new Set<AttachedProcess>();
  private readonly remotes = new Set<RemoteProcess>();
  private readonly tasks = new Set<Task>();
  private readonly agent: MdevAgent;
  private readonly controller: ControllerReset;
  private readonly kernelSpace = new AddressSpace('kernel', PRIVATE_IOVA_BASE);
  private readonly identitySpace = new AddressSpace('identity');
  private readonly parentGroup: IommuGroup;
  /** Who held the PASID when the fault came: later the process may be gone, or the PASID another's. */
  private readonly faultOwners = new WeakMap<FaultRecord, Owner>();
  private releasePageRequests: (() => void) | undefined;

  constructor(private readonly parts: KernelParts) {
    const { iommu, parent, bus, memory, isIommuOff } = parts;
    const own = isIommuOff ? this.identitySpace : this.kernelSpace;
    iommu.attach(parent.streamId, own);
    this.coherent = new CoherentMemory(memory, own);
    const log = parts.log ?? silentLog;
    const deferred = new DeferredRelease(parts.drain ?? (() => undefined));
    const { coherent, registry } = this;
    this.isolation = new IsolationStrategy(parent.clock);
    const queueManager = new QueueManager({
      bus,
      memory,
      coherent,
      log,
      queues: parent.queuesTotal,
      ...(parts.functions ? { functions: parts.functions } : {}),
      onCompletion: (qpId) => registry.find(qpId)?.completionInterrupt(),
      onQueueFault: (qpId) => registry.find(qpId)?.reset(),
      onFunctionFault: () => this.controller.resetFunction(),
      onResetNeeded: () => this.controller.run(),
    });
    this.controller = new ControllerReset({ queueManager, registry, isolation: this.isolation, log });
    queueManager.initialise();
    queueManager.start();
    const isIsolated = (): boolean => this.isolation.isIsolated;
    this.queueParts = { parent, memory, bus, coherent, queueManager, registry, deferred, isIsolated };
    this.agent = new MdevAgent(parent, deferred, parts.newUuid);
    this.parentGroup = new IommuGroup(parent.iommuGroup, () => [parent.bdf]);
    this.uacce = new UacceNode({
      parent,
      iommu,
      queueParts: this.queueParts,
      isIommuOff,
    });
    this.vfio = new Vfio({
      parent,
      parentGroup: this.parentGroup,
      iommu,
      queueParts: this.queueParts,
      machine: {
        isIommuOff,
        hasInterruptRemapping: parts.hasInterruptRemapping ?? true,
        privateBase: PRIVATE_IOVA_BASE,
        parentSpace: this.kernelSpace,
      },
    });
    parent.bindDriver({
      reserveDma: (bytes) => {
        const physical = memory.allocate(bytes);
        return { bytes, free: () => deferred.run(() => memory.release(physical, bytes)) };
      },
    });
    this.sysfs = kernelTree({
      parent,
      iommu,
      uacce: this.uacce,
      isolation: this.isolation,
      isIommuOff,
      numaNode: parts.numaNode ?? -1,
      queueManager,
      statistics: parts.statistics ?? (() => ({ sent: 0, received: 0, sendBusy: 0, errorBds: 0 })),
    });
    const noteOwner = (record: FaultRecord): void => {
      const owner = this.ownerOf(record.pasid);
      if (owner) this.faultOwners.set(record, owner);
    };
    iommu.onFault(noteOwner);
    iommu.onResolvedRequest(noteOwner);
  }

  /**
   * Attaches a process inside the service.
   * @throws WD_E_EINVAL when the mode and the IOMMU do not go together
   */
  attach(request: AttachRequest): AttachedProcess {
    this.checkMode(request);
    const { iommu } = this.parts;
    const process = new AttachedProcess(request, this.spaceFor(request), iommu, this.queueParts, () =>
      this.processes.delete(process),
    );
    this.processes.add(process);
    return process;
  }

  /**
   * Attaches a real process outside the service: modes `sva` (its own addresses, no map call), `vfio` (it maps first)
   * and `noiommu` (administrators only).
   * @throws WD_E_EINVAL mode and IOMMU do not go together, or `native`; WD_E_EPERM; WD_E_NO_QUEUE no mdev for vfio
   */
  attachRemote(request: RemoteAttachRequest): RemoteProcess {
    this.checkMode(request);
    const { owner, mode, memory, isAdmin, memlockBytes } = request;
    if (mode === 'native') throw kernelError('EINVAL', 'mode native is the service’s own', { field: 'mode' });
    if (mode === 'noiommu' && !isAdmin)
      throw kernelError('EPERM', 'queues that address physical memory need the admin right');
    const task = this.createTask({
      owner,
      mode,
      isAdmin,
      mm: new RemoteAddressSpace(memory),
      resolve: (virtual, bytes) => (memory.covers(virtual, bytes) ? processTarget(virtual) : undefined),
      ...(memlockBytes === undefined ? {} : { memlockBytes }),
    });
    const { uacce, vfio, agent } = this;
    const remote = new RemoteProcess(task, {
      uacce,
      vfio,
      agent,
      isIommuOff: this.parts.isIommuOff,
      onClosed: (closed) => {
        this.remotes.delete(closed);
        this.tasks.delete(task);
      },
    });
    this.remotes.add(remote);
    return remote;
  }

  /** A process for the descriptors of `uacce` and `vfio`; `exit` is its death. */
  createTask(options: TaskOptions): Task {
    const task = new Task(options);
    this.tasks.add(task);
    return task;
  }

  devices(): DeviceSnapshot[] {
    const { parent, iommu, cores } = this.parts;
    return [
      {
        name: parent.name,
        kind: 'emulated',
        hardware: parent.variant.hardware,
        bdf: parent.bdf,
        faultModel: iommu.faultModelOf(parent.streamId),
        queuesTotal: parent.queuesTotal,
        queuesFree: parent.queuesFree,
        queuesReserved: parent.queuesReserved,
        queuesNative: parent.queuesNative,
        isolated: this.isolation.isIsolated,
        cores: cores(),
      },
    ];
  }

  mdevs(): MdevSnapshot[] {
    const { parent } = this.parts;
    return parent.list().map((mdev) => parent.snapshot(mdev));
  }

  mdevTypes(): MdevTypeSnapshot[] {
    return this.parts.parent.typeSnapshots();
  }

  /**
   * What a write to the type's `create` does, credentials included.
   * @throws WD_E_EACCES not an administrator (the mode of `create` is 0200); as ParentDevice.create
   */
  createMdev(request: MdevCreateRequest, isAdmin: boolean): MdevSnapshot {
    const { parent, newUuid } = this.parts;
    if (!isAdmin) throw kernelError('EACCES', 'only root may create an mdev');
    const uuid = request.uuid ?? newUuid?.();
    if (uuid === undefined) throw kernelError('EINVAL', 'a UUID is needed', { field: 'uuid' });
    const { dmaPoolBytes, priorityClass } = request;
    const mdev = parent.create(uuid, request.type, {
      ...(dmaPoolBytes === undefined ? {} : { dmaPoolBytes }),
      ...(priorityClass === undefined ? {} : { priorityClass }),
    });
    return parent.snapshot(mdev);
  }

  /** @throws WD_E_EACCES; as ParentDevice.remove */
  removeMdev(uuid: string, isAdmin: boolean): void {
    if (!isAdmin) throw kernelError('EACCES', 'only root may remove an mdev');
    this.parts.parent.remove(uuid);
  }

  /** Calls back after each creation and change of state. @returns the unsubscribe function */
  onMdevChange(listener: (mdev: MdevSnapshot) => void): () => void {
    return this.parts.parent.onChange(listener);
  }

  /** Every open queue with the process that holds it. */
  openQueues(): { process: QueueUser; queue: QueueFile }[] {
    return this.registry.list();
  }

  /**
   * Resets one queue: its user sees the stop words and opens another; nobody else notices.
   * @param id as in QueueSnapshot
   * @throws WD_E_ENODEV
   */
  resetQueue(id: string): void {
    const entry = this.registry.list().find(({ queue }) => queue.id === id);
    if (!entry) throw kernelError('ENODEV', `no open queue ${id}`, { field: 'id' });
    entry.queue.reset();
  }

  /**
   * A hardware error of the device: it counts towards isolation and resets the controller, which stops every queue
   * (sources.md 5.9). Users open new ones, unless the device is isolated now.
   * @returns whether the device is isolated
   */
  hardwareError(): boolean {
    this.controller.run();
    return this.isolation.isIsolated;
  }

  /** Loads the driver again: an isolated device comes back. @throws WD_E_DEVICE */
  reloadDriver(): void {
    this.controller.reload();
  }

  faults(sinceSeq?: number, isAdmin = false): FaultSnapshot[] {
    return this.parts.iommu.faults(sinceSeq).map((record) => this.describe(record, isAdmin));
  }

  /** Page requests that were answered with the page, newest last. */
  pageRequests(isAdmin: boolean): FaultSnapshot[] {
    return this.parts.iommu.resolvedRequests().map((record) => this.describe(record, isAdmin));
  }

  /** @returns the unsubscribe function */
  onFault(listener: (fault: FaultSnapshot) => void, isAdmin = false): () => void {
    return this.parts.iommu.onFault((record) => listener(this.describe(record, isAdmin)));
  }

  iommuTimings(): ReturnType<Iommu['timings']> {
    return this.parts.iommu.timings();
  }

  /** @param isAdmin whether PASIDs may be shown */
  iommuSnapshot(isAdmin: boolean): IommuSnapshot {
    const { iommu, parent } = this.parts;
    return iommuSnapshot({ iommu, parent, ownerOf: (pasid) => this.ownerOf(pasid) }, isAdmin);
  }

  /** Declares what the device can do about absent pages (the deck's "declared as supporting STALL"). */
  setFaultModel(model: FaultModel): void {
    this.parts.iommu.setFaultModel(this.parts.parent.streamId, model);
  }

  /** Holds page requests or lets those go that wait; see PageRequests.holdAll. Idempotent. */
  holdPageRequests(isHeld: boolean): void {
    if (isHeld) this.releasePageRequests ??= this.parts.iommu.holdPageRequests();
    else {
      this.releasePageRequests?.();
      this.releasePageRequests = undefined;
    }
  }

  /** @throws WD_E_EINVAL nothing is held under this tag */
  answerPageRequest(stag: number, response: PageResponse): PageResponse {
    return this.parts.iommu.respond(stag, response);
  }

  private checkMode({ mode }: AttachRequest): void {
    const { isIommuOff } = this.parts;
    if ((mode === 'noiommu') !== isIommuOff)
      throw kernelError('EINVAL', `mode ${mode} needs the IOMMU to be ${isIommuOff ? 'on' : 'off'}`, {
        field: 'mode',
      });
  }

  private spaceFor({ mode }: AttachRequest): AddressSpace {
    switch (mode) {
      case 'noiommu':
        return this.identitySpace;
      case 'native':
        return this.kernelSpace;
      case 'vfio':
        return new AddressSpace('private', PRIVATE_IOVA_BASE);
      case 'sva':
        return new AddressSpace('sva');
    }
  }

  private ownerOf(pasid: number): Owner | undefined {
    if (pasid === 0) return undefined;
    const process = [...this.processes].find((candidate) => candidate.pasid === pasid);
    return process?.owner ?? this.registry.list().find(({ queue }) => queue.pasid === pasid)?.process.owner;
  }

  private describe(record: FaultRecord, isAdmin: boolean): FaultSnapshot {
    const { parent } = this.parts;
    const owner = this.faultOwners.get(record);
    const where = { device: parent.name, bdf: parent.bdf, ...(owner ? { owner } : {}) };
    return faultSnapshot(record, where, isAdmin);
  }
}
