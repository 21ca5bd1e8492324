import type { FaultModel, MdevDomain, QueueMode } from '../../../shared/src/telemetry.ts';
import { type PhysAddr, streamId } from '../../../shared/src/units.ts';
import { AddressSpace } from '../../src/kernel/iommu/address-space.ts';
import { Iommu } from '../../src/kernel/iommu/iommu.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import type { MdevType } from '../../src/kernel/mdev/mdev-type.ts';
import { ParentDevice } from '../../src/kernel/mdev/parent-device.ts';
import type { Task } from '../../src/kernel/task.ts';
import type { DeviceBus } from '../../src/platform/device-bus.ts';
import { PhysicalMemory } from '../../src/platform/physical-memory.ts';
import { FakeClock } from './fake-clock.ts';
import { readyRegister } from './ready-registers.ts';

export const STREAM = streamId(0x7500);
export const BDF = '0000:75:00.0';
export const PARENT_PATH = `/sys/devices/pci0000:75/${BDF}`;
export const uuidOf = (n: number): string => `83b8f4f2-509f-382f-3c1e-${String(n).padStart(12, '0')}`;

/** A device whose mailbox takes every command; keeps the commands, by number. */
class SilentBus implements DeviceBus {
  readonly commands: number[] = [];
  read32(offset: number): number {
    return readyRegister(offset);
  }
  write32(): void {}
  write64(): void {}
  write128(_offset: number, words: readonly [number, number, number, number]): void {
    this.commands.push(words[0] & 0xff);
  }
  doorbellPage() {
    return { read32: () => 0xffff_ffff, write64: () => {} };
  }
  onInterrupt(): void {}
  firmwareReset(): boolean {
    return true;
  }
}

export interface RigOptions {
  queues?: number;
  reservedQueues?: number;
  isIommuOff?: boolean;
  faultModel?: FaultModel;
  hasInterruptRemapping?: boolean;
  drain?: () => Promise<void> | undefined;
  domain?: MdevDomain;
}

/** A kernel over a silent device, with mdev types of both policies: `hisi_zip-zip` and `hisi_zip-on_open`. */
export function kernelRig(options: RigOptions = {}) {
  const { queues = 8, isIommuOff = false, domain } = options;
  const clock = new FakeClock();
  const memory = new PhysicalMemory(64 * 1024 * 1024);
  const iommu = new Iommu(clock, options.faultModel ?? 'stall');
  const types: MdevType[] = [
    { id: 'hisi_zip-zip', name: 'ZIP queue', ...(domain ? { domain } : {}) },
    { id: 'hisi_zip-on_open', name: 'ZIP queue on demand', description: 'on demand', policy: 'on-open' },
  ];
  const parent = new ParentDevice('hisi_zip-0', BDF, STREAM, types, queues, clock, {
    reservedQueues: options.reservedQueues ?? 0,
  });
  const bus = new SilentBus();
  let uuids = 1000;
  const kernel = new Kernel({
    parent,
    iommu,
    memory,
    bus,
    isIommuOff,
    cores: () => [],
    newUuid: () => uuidOf(uuids++),
    ...(options.drain ? { drain: options.drain } : {}),
    ...(options.hasInterruptRemapping === undefined
      ? {}
      : { hasInterruptRemapping: options.hasInterruptRemapping }),
  });
  bus.commands.length = 0; // what the bring-up sent
  /** A process whose memory is 16 MiB at 0x4000_0000. */
  const taskOf = (
    changes: { mode?: QueueMode; isAdmin?: boolean; memlockBytes?: number; pid?: number } = {},
  ): Task =>
    kernel.createTask({
      owner: { pid: changes.pid ?? 100, name: 'client' },
      mode: changes.mode ?? (isIommuOff ? 'noiommu' : 'sva'),
      isAdmin: changes.isAdmin ?? false,
      mm: new AddressSpace('sva'),
      resolve: (virtual, bytes) =>
        virtual >= 0x4000_0000 && virtual + bytes <= 0x4100_0000
          ? ((virtual - 0x4000_0000) as PhysAddr)
          : undefined,
      ...(changes.memlockBytes === undefined ? {} : { memlockBytes: changes.memlockBytes }),
    });
  return { clock, memory, iommu, parent, bus, kernel, taskOf };
}
