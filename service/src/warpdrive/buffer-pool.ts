import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { ProcessContext } from '../platform/accelerator.ts';
import type { JobSlot } from './slot-pool.ts';

/** A job slot that belongs to one client until it gives it back. */
export interface OwnedSlot extends JobSlot {
  /** Frees the memory. Only while no job of the slot is out; again is harmless. */
  free(): void;
}

/** DMA memory that clients hold for as long as they like, so it is bounded apart from the slots that are lent for one job. */
export class BufferPool {
  private held = 0;

  constructor(
    private readonly process: Pick<ProcessContext, 'allocate'>,
    private readonly limitBytes: number,
  ) {}

  /** Bytes that clients hold. */
  get heldBytes(): number {
    return this.held;
  }

  /** @throws WD_E_NO_MEMORY */
  take(sourceBytes: number, destinationBytes: number): OwnedSlot {
    const bytes = sourceBytes + destinationBytes;
    const { limitBytes } = this;
    if (this.held + bytes > limitBytes)
      throw new WarpDriveError(
        'WD_E_NO_MEMORY',
        `${bytes} bytes of job buffers asked, ${limitBytes - this.held} of ${limitBytes} are left`,
        { bytes, limitBytes },
      );
    const source = this.process.allocate(sourceBytes);
    try {
      const destination = this.process.allocate(destinationBytes);
      this.held += bytes;
      let isHeld = true;
      const free = (): void => {
        if (!isHeld) return;
        isHeld = false;
        this.held -= bytes;
        source.free();
        destination.free();
      };
      return { source, destination, free };
    } catch (error) {
      source.free();
      throw error;
    }
  }
}
