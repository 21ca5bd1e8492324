import { DUS_BYTES, MMIO_BYTES } from '../../hw-abi/dus.ts';
import type { MmioView } from '../../platform/accelerator.ts';
import { kernelError } from '../errno.ts';
import { checkArgsz, numberOf, structOf } from '../ioctl-argument.ts';
import type { Mdev } from '../mdev/parent-device.ts';
import type { QueueFile } from '../queue-file.ts';
import type { OpenFile } from '../task.ts';
import { qmIoctl } from '../uacce/qm-ioctl.ts';
import {
  ARGSZ,
  DEVICE_FLAG_RESET,
  IRQ_FLAG_EVENTFD,
  REGION_FLAG,
  REGION_OFFSET_STEP,
  SDMDEV_CMD_WAIT,
  VFIO,
} from './numbers.ts';

const REGIONS = [
  { bytes: MMIO_BYTES, flags: REGION_FLAG.write | REGION_FLAG.mmap },
  { bytes: DUS_BYTES, flags: REGION_FLAG.read | REGION_FLAG.write | REGION_FLAG.mmap },
] as const;

/**
 * The descriptor of an open mdev: its queue, bound to the container's address space. The queue starts when its
 * doorbell page is mapped, because the direction of a HiSilicon queue is part of its context and set before that.
 */
export class VfioDevice implements OpenFile {
  private readonly mapped = new Set<number>();
  private isOpen = true;

  /** @param onRelease unbinds and lets the group go; called once */
  constructor(
    readonly mdev: Mdev,
    readonly queue: QueueFile,
    private readonly onRelease: () => void,
  ) {}

  /**
   * @returns 0, or the structure that the ioctl fills in
   * @throws WD_E_ENOTTY unknown number; WD_E_EINVAL; WD_E_EFAULT; WD_E_ENODEV closed
   */
  ioctl(number: number, argument?: unknown): 0 | object {
    if (!this.isOpen) throw kernelError('ENODEV', `the device of mdev ${this.mdev.uuid} is closed`);
    switch (number) {
      case VFIO.DEVICE_GET_INFO:
        checkArgsz(structOf(argument), ARGSZ.deviceInfo);
        return {
          argsz: ARGSZ.deviceInfo,
          flags: DEVICE_FLAG_RESET,
          num_regions: REGIONS.length,
          num_irqs: 1,
        };
      case VFIO.DEVICE_GET_REGION_INFO: {
        const struct = structOf(argument);
        checkArgsz(struct, ARGSZ.regionInfo);
        const index = numberOf(struct, 'index');
        const region = regionOf(index);
        const { flags, bytes: size } = region;
        return { argsz: ARGSZ.regionInfo, flags, index, size, offset: index * REGION_OFFSET_STEP };
      }
      case VFIO.DEVICE_GET_IRQ_INFO: {
        const struct = structOf(argument);
        checkArgsz(struct, ARGSZ.irqInfo);
        checkIrq(numberOf(struct, 'index'));
        return { argsz: ARGSZ.irqInfo, flags: IRQ_FLAG_EVENTFD, index: 0, count: 1 };
      }
      case VFIO.DEVICE_SET_IRQS:
        return this.setIrq(structOf(argument));
      case VFIO.DEVICE_RESET:
        this.queue.reset();
        return 0;
      case SDMDEV_CMD_WAIT:
        return this.queue.isUpdated() ? 0 : this.wouldBlock();
      default: {
        const answer = qmIoctl(this.queue, number, argument);
        if (!answer)
          throw kernelError('ENOTTY', `0x${number.toString(16)} is no ioctl of a VFIO device`, {
            field: 'number',
          });
        return answer;
      }
    }
  }

  /**
   * @param offset as GET_REGION_INFO gave it
   * @throws WD_E_EINVAL other offset or size, doorbells of a queue that cannot start; WD_E_EEXIST mapped already
   */
  mmap(offset: number, bytes: number): MmioView | Uint8Array {
    if (!this.isOpen) throw kernelError('ENODEV', `the device of mdev ${this.mdev.uuid} is closed`);
    const index = offset / REGION_OFFSET_STEP;
    const region = regionOf(index);
    if (bytes !== region.bytes)
      throw kernelError('EINVAL', `${bytes} bytes asked, region ${index} has ${region.bytes}`, {
        field: 'bytes',
      });
    if (this.mapped.has(index))
      throw kernelError('EEXIST', `region ${index} is mapped already`, { field: 'offset' });
    if (index === 0 && this.queue.state === 'init') this.queue.start();
    this.mapped.add(index);
    return index === 0 ? this.queue.region.mmio : this.queue.region.dus;
  }

  /** Process death does this too: the queue stops, the mdev is idle again. Idempotent. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.queue.close();
    this.onRelease();
  }

  /** In the model the eventfd is a function. */
  private setIrq(struct: Readonly<Record<string, unknown>>): 0 {
    checkIrq(numberOf(struct, 'index'));
    const { trigger } = struct;
    if (typeof trigger !== 'function') throw kernelError('EFAULT', 'SET_IRQS needs a trigger');
    this.queue.onCompletion(() => void trigger());
    return 0;
  }

  private wouldBlock(): never {
    throw kernelError('EAGAIN', `queue ${this.queue.id} has no event yet`);
  }
}

function regionOf(index: number): (typeof REGIONS)[number] {
  const region = REGIONS[index];
  if (!region) throw kernelError('EINVAL', `no region ${index}; 0 is MMIO, 1 is DUS`, { field: 'index' });
  return region;
}

function checkIrq(index: number): void {
  if (index !== 0)
    throw kernelError('EINVAL', `no interrupt ${index}; 0 is the completion interrupt`, { field: 'index' });
}
