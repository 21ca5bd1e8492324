import { PAGE_BYTES } from '../../../../shared/src/units.ts';
import { DUS_BYTES, MMIO_BYTES } from '../../hw-abi/dus.ts';
import type { MmioView } from '../../platform/accelerator.ts';
import { kernelError } from '../errno.ts';
import type { QueueFile } from '../queue-file.ts';
import type { OpenFile } from '../task.ts';
import { UACCE, UACCE_REGION_OFFSET } from './numbers.ts';
import { qmIoctl } from './qm-ioctl.ts';

/** poll() events of a queue: data to read, nothing else ever. */
export const POLL_IN = 1;

/**
 * One open of a uacce node: one queue (Linux drivers/misc/uacce/uacce.c; sources.md 4.5). States init → started →
 * zombie; errors of a zombie as in current kernels (ENXIO).
 */
export class UacceFile implements OpenFile {
  private state: 'init' | 'started' | 'zombie' = 'init';
  private readonly mapped = new Set<number>();

  /** @param onRelease unbinds the address space; called once */
  constructor(
    readonly queue: QueueFile,
    private readonly onRelease: () => void,
  ) {}

  /**
   * @returns 0, or the structure that the ioctl fills in
   * @throws WD_E_EINVAL wrong state, unknown command, bad argument; WD_E_ENXIO zombie; WD_E_EFAULT no argument
   */
  ioctl(number: number, argument?: unknown): 0 | object {
    if (this.state === 'zombie') throw kernelError('ENXIO', `queue ${this.queue.id} is gone`);
    switch (number) {
      case UACCE.START_Q:
        if (this.state === 'started')
          throw kernelError('EINVAL', `queue ${this.queue.id} is started already`, { state: this.state });
        this.queue.start();
        this.state = 'started';
        return 0;
      case UACCE.PUT_Q:
        this.put();
        return 0;
      default: {
        const answer = qmIoctl(this.queue, number, argument);
        if (!answer)
          throw kernelError('EINVAL', `0x${number.toString(16)} is no ioctl of a uacce queue`, {
            field: 'number',
          });
        return answer;
      }
    }
  }

  /**
   * @param offset region type × page size
   * @returns the doorbell window or the DUS bytes
   * @throws WD_E_EINVAL other offset or size; WD_E_EEXIST mapped already; WD_E_ENXIO zombie
   */
  mmap(offset: number, bytes: number): MmioView | Uint8Array {
    if (this.state === 'zombie') throw kernelError('ENXIO', `queue ${this.queue.id} is gone`);
    const isMmio = offset === UACCE_REGION_OFFSET.mmio;
    if (!isMmio && offset !== UACCE_REGION_OFFSET.dus)
      throw kernelError('EINVAL', `no region at offset ${offset}; MMIO is at 0, DUS at ${PAGE_BYTES}`, {
        field: 'offset',
      });
    const expected = isMmio ? MMIO_BYTES : DUS_BYTES;
    if (bytes !== expected)
      throw kernelError('EINVAL', `${bytes} bytes asked, the region has ${expected}`, { field: 'bytes' });
    if (this.mapped.has(offset))
      throw kernelError('EEXIST', `the region at offset ${offset} is mapped already`, { field: 'offset' });
    this.mapped.add(offset);
    return isMmio ? this.queue.region.mmio : this.queue.region.dus;
  }

  /** @returns POLL_IN when completions came since the last poll; never write or error events */
  poll(): number {
    return this.state === 'started' && this.queue.isUpdated() ? POLL_IN : 0;
  }

  /** Process death does this too: stop, drain, put, unbind. Idempotent. */
  close(): void {
    this.put();
  }

  private put(): void {
    if (this.state === 'zombie') return;
    this.state = 'zombie';
    this.queue.close();
    this.onRelease();
  }
}
