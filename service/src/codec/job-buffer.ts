import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { AcceleratorLibrary, OwnedSlot } from '../warpdrive/accelerator-library.ts';
import type { BufferedMember, JobBuffer, JobBufferOptions } from './codec.ts';
import { runPiece } from './compress-piece.ts';
import { endOf, headerOf, initialChecksum } from './container.ts';
import type { CompressedPiece, PieceOptions } from './piece.ts';

/** Room before the output for the longest header without a name; with it the device writes from a cache line's start. */
const HEADER_ROOM_BYTES = 64;

/** The job buffer over an accelerator: input and output stay where the engine core finds and leaves them. */
export class DmaJobBuffer implements JobBuffer {
  private readonly slot: OwnedSlot;
  private isBusy = false;
  private isClosed = false;
  private piece: { of: Readonly<JobBufferOptions>; options: PieceOptions } | undefined;

  /** @throws WD_E_EINVAL, WD_E_NO_MEMORY */
  constructor(
    private readonly library: AcceleratorLibrary,
    bytes: number,
    /** Core named for members that needed no job. */
    private readonly core: CoreName,
  ) {
    this.slot = library.openBuffer(bytes, HEADER_ROOM_BYTES);
  }

  get input(): Uint8Array {
    return this.slot.source.bytes;
  }

  compress(bytes: number, options: Readonly<JobBufferOptions>): BufferedMember | Promise<BufferedMember> {
    this.checkIdle(bytes);
    if (bytes === 0) return this.emptyMember(options);
    this.isBusy = true;
    let made: CompressedPiece | Promise<CompressedPiece>;
    try {
      const input = { slot: this.slot, bytes, headerRoomBytes: HEADER_ROOM_BYTES };
      made = runPiece(this.library, input, this.pieceOptions(options));
    } catch (error) {
      this.jobEnded();
      throw error;
    }
    if (made instanceof Promise) return made.finally(() => this.jobEnded());
    this.jobEnded();
    return made;
  }

  close(): void {
    this.isClosed = true;
    if (!this.isBusy) this.slot.free();
  }

  /** However it ended, no core writes here any more: a job of a queue that failed ends when the cores let go of it. */
  private jobEnded(): void {
    this.isBusy = false;
    if (this.isClosed) this.slot.free();
  }

  private checkIdle(bytes: number): void {
    if (this.isClosed) throw new WarpDriveError('WD_E_ABORTED', 'the job buffer is closed');
    if (this.isBusy)
      throw new WarpDriveError('WD_E_EBUSY', 'the job buffer has a job already', { errno: 'EBUSY' });
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= this.input.length))
      throw new WarpDriveError('WD_E_EINVAL', `${bytes} bytes of a job buffer of ${this.input.length}`, {
        field: 'bytes',
      });
  }

  /** Made once for an options object that is passed again and again. */
  private pieceOptions(of: Readonly<JobBufferOptions>): PieceOptions {
    if (this.piece?.of !== of) {
      const { format, level, windowBytes } = of;
      const header = headerOf(format, level, undefined, windowBytes);
      this.piece = { of, options: { format, level, windowBytes, isWhole: true, header } };
    }
    return this.piece.options;
  }

  private emptyMember({ format, level, windowBytes }: Readonly<JobBufferOptions>): BufferedMember {
    const checksum = initialChecksum(format);
    const bytes = Buffer.concat([
      headerOf(format, level, undefined, windowBytes),
      endOf(format, checksum, 0),
    ]);
    return { bytes, checksum, core: this.core };
  }
}
