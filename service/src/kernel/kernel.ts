import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { DeviceSnapshot, FaultSnapshot, MdevSnapshot } from '../../../shared/src/telemetry.ts';
import type { AcceleratorHost, AttachRequest, ProcessContext } from '../platform/accelerator.ts';
import type { DeviceBus } from '../platform/device-bus.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import { CoherentMemory } from './coherent-memory.ts';
import { AddressSpace } from './iommu/address-space.ts';
import { type FaultRecord, faultSnapshot } from './iommu/fault-record.ts';
import type { Iommu } from './iommu/iommu.ts';
import type { ParentDevice } from './mdev/parent-device.ts';
import { AttachedProcess } from './process.ts';
import { QueueManager } from './qm/queue-manager.ts';
import type { QueueFile } from './queue-file.ts';

/** Where private I/O page tables start: low, so that an address in a log line shows at once what it is. */
const PRIVATE_IOVA_BASE = 0x1000_0000;

export interface KernelParts {
  parent: ParentDevice;
  iommu: Iommu;
  memory: PhysicalMemory;
  bus: DeviceBus;
  /** true: the machine runs without IOMMU; only mode noiommu is offered, and only then. */
  isIommuOff: boolean;
  /** The device's own figures, from its debug counters. */
  cores: () => DeviceSnapshot['cores'];
}

/**
 * The kernel side as a model: one parent device behind one IOMMU. Attaches processes, hands out queues from mdevs
 * that root made beforehand, routes interrupts, and takes everything back when a process goes.
 */
export class Kernel implements AcceleratorHost {
  private readonly queueManager: QueueManager;
  private readonly coherent: CoherentMemory;
  private readonly processes = new Set<AttachedProcess>();
  private readonly kernelSpace = new AddressSpace('kernel', PRIVATE_IOVA_BASE);
  private readonly identitySpace = new AddressSpace('identity');

  constructor(private readonly parts: KernelParts) {
    const { iommu, parent, bus, memory } = parts;
    const own = parts.isIommuOff ? this.identitySpace : this.kernelSpace;
    iommu.attach(parent.streamId, own);
    this.coherent = new CoherentMemory(memory, own);
    this.queueManager = new QueueManager(bus, memory, this.coherent);
    bus.onCompletionInterrupt((qpId) => this.queue(qpId)?.completionInterrupt());
  }

  /** @throws WD_E_EINVAL when the mode and the IOMMU do not go together */
  attach(request: AttachRequest): ProcessContext {
    const { iommu, parent, memory, bus, isIommuOff } = this.parts;
    if ((request.mode === 'noiommu') !== isIommuOff)
      throw new WarpDriveError(
        'WD_E_EINVAL',
        `mode ${request.mode} needs the IOMMU to be ${isIommuOff ? 'on' : 'off'}`,
        { field: 'mode' },
      );
    const parts = { parent, memory, bus, coherent: this.coherent, queueManager: this.queueManager };
    const process = new AttachedProcess(request, this.spaceFor(request), iommu, parts, () =>
      this.processes.delete(process),
    );
    this.processes.add(process);
    return process;
  }

  devices(): DeviceSnapshot[] {
    const { parent, iommu, cores } = this.parts;
    return [
      {
        name: parent.name,
        kind: 'emulated',
        hardware: 'zip-v3',
        bdf: parent.bdf,
        faultModel: iommu.faultModel,
        queuesTotal: parent.queuesTotal,
        queuesFree: parent.queuesFree,
        cores: cores(),
      },
    ];
  }

  mdevs(): MdevSnapshot[] {
    const { parent } = this.parts;
    return parent.list().map((mdev) => ({
      uuid: mdev.uuid,
      type: mdev.type.id,
      parent: parent.name,
      state: mdev.state,
      qpId: mdev.qpId,
      createdAtMs: mdev.createdAtMs,
    }));
  }

  /** Every open queue with the process that holds it. */
  openQueues(): { process: AttachedProcess; queue: QueueFile }[] {
    return [...this.processes].flatMap((process) =>
      process.openQueues().map((queue) => ({ process, queue })),
    );
  }

  faults(sinceSeq?: number): FaultSnapshot[] {
    return this.parts.iommu.faults(sinceSeq).map((record) => this.describe(record));
  }

  /** @returns the unsubscribe function */
  onFault(listener: (fault: FaultSnapshot) => void): () => void {
    return this.parts.iommu.onFault((record) => listener(this.describe(record)));
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

  private queue(qpId: number): QueueFile | undefined {
    for (const process of this.processes) {
      const queue = process.queue(qpId);
      if (queue) return queue;
    }
    return undefined;
  }

  private describe(record: FaultRecord): FaultSnapshot {
    const { parent } = this.parts;
    const owner = [...this.processes].find(({ pasid }) => pasid !== 0 && pasid === record.pasid)?.owner;
    return faultSnapshot(record, { device: parent.name, bdf: parent.bdf, ...(owner ? { owner } : {}) });
  }
}
