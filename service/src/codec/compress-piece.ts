import { WarpDriveError } from '../../../shared/src/problem.ts';
import { iova } from '../../../shared/src/units.ts';
import { copyBytes, copyOf } from '../platform/copy-bytes.ts';
import type { AcceleratorLibrary, JobSlot, ZipCompletion } from '../warpdrive/accelerator-library.ts';
import type { ByteQueue } from './byte-queue.ts';
import { errorOf } from './completion-error.ts';
import { initialChecksum } from './container.ts';
import type { CompressedPiece, PieceOptions } from './piece.ts';
import { compressInSoftware, mayFallBack } from './software.ts';

const GZIP_TRAILER_BYTES = 8;
const NO_HEADER = new Uint8Array(0);

/** Of a job whose input was taken; the slot is released by the time it settles. */
export interface TakenPiece {
  /** The piece itself if it is made already; may reject with WD_E_DEVICE and the like. */
  output: CompressedPiece | Promise<CompressedPiece>;
}

/**
 * Runs the first `bytes` of `input` as one stateless job. Raw DEFLATE goes as gzip, because only then the device
 * keeps a checksum; its trailer is cut off again. No promise is made where a slot is free and a polled engine core
 * takes the job, because for 2 KiB each costs as much as the IOMMU.
 * @throws WD_E_NO_QUEUE, WD_E_ABORTED
 */
export function compressPiece(
  library: AcceleratorLibrary,
  input: ByteQueue,
  bytes: number,
  options: PieceOptions,
): TakenPiece | Promise<TakenPiece> {
  const slots = library.slotsFor(bytes);
  const runIn = (slot: JobSlot): TakenPiece => {
    const release = (): void => slots.release(slot);
    try {
      // the stream may have gone while it waited for the slot
      if (input.length < bytes) throw new WarpDriveError('WD_E_ABORTED', 'the stream was aborted');
      input.peekInto(slot.source.bytes, bytes);
      input.drop(bytes);
      const output = runPiece(library, { slot, bytes }, options);
      if (output instanceof Promise) output.then(release, release);
      else release();
      return { output };
    } catch (error) {
      release();
      throw error;
    }
  };
  const slot = slots.tryAcquire();
  return slot ? runIn(slot) : slots.acquire(options.signal).then(runIn);
}

/** Input at the start of its slot. */
interface PlacedInput {
  readonly slot: JobSlot;
  readonly bytes: number;
  /**
   * Output stays in the slot, behind this many bytes, before which the header goes. Absent: it is copied, and the slot free
   * for others.
   */
  readonly headerRoomBytes?: number;
}

/** On the device if it is there; what fails there gets a second chance. */
export function runPiece(
  library: AcceleratorLibrary,
  input: PlacedInput,
  options: PieceOptions,
): CompressedPiece | Promise<CompressedPiece> {
  const retry = (error?: unknown) => runAgain(library, input, options, error);
  if (library.unavailable() !== undefined) return retry();
  try {
    const piece = runOnDevice(library, input, options);
    return piece instanceof Promise ? piece.catch(retry) : piece;
  } catch (error) {
    return retry(error);
  }
}

/** Once more on the device, because a queue that was reset is open again by now; else in software, if that is allowed. */
async function runAgain(
  library: AcceleratorLibrary,
  input: PlacedInput,
  options: PieceOptions,
  firstError: unknown,
): Promise<CompressedPiece> {
  // the context may hold this very piece already, which its reader does not
  if (options.stream) options.stream.isNew = true;
  let failure: WarpDriveError | undefined;
  if (firstError !== undefined) {
    if (!mayFallBack(firstError)) throw firstError;
    failure = firstError;
  }
  if (library.unavailable() === undefined) {
    try {
      return { ...(await runOnDevice(library, input, options)), isRetried: true };
    } catch (error) {
      if (!mayFallBack(error)) throw error;
      failure = error;
    }
  }
  const reason = library.unavailable() ?? failure?.code ?? 'device unavailable';
  if (!library.allowsSoftware) throw failure ?? new WarpDriveError('WD_E_NO_QUEUE', `no device: ${reason}`);
  return compressInSoftware(copyOf(input.slot.source.bytes.subarray(0, input.bytes)), options, reason);
}

function runOnDevice(
  library: AcceleratorLibrary,
  input: PlacedInput,
  options: PieceOptions,
): CompressedPiece | Promise<CompressedPiece> {
  const { slot, bytes, headerRoomBytes = 0 } = input;
  const { stream } = options;
  if (stream) stream.checksum = initialChecksum(options.format); // each piece has its own: they are combined
  const done = library.run('compress', {
    format: options.format === 'zlib' ? 'zlib' : 'gzip',
    level: options.level,
    source: slot.source.address,
    sourceBytes: bytes,
    destination: iova(slot.destination.address + headerRoomBytes),
    // no more than it may need: each page of it is translated
    destinationBytes: Math.min(
      slot.destination.bytes.length - headerRoomBytes,
      library.worstCaseBytes(bytes),
    ),
    isFinal: options.isWhole,
    // not spread: for 2 KiB that costs as much as the doorbell
    stream,
    windowBytes: options.windowBytes,
  });
  return done instanceof Promise
    ? done.then((late) => pieceOf(input, late, options))
    : pieceOf(input, done, options);
}

function pieceOf(
  { slot, bytes, headerRoomBytes }: PlacedInput,
  done: ZipCompletion,
  options: PieceOptions,
): CompressedPiece {
  const error = errorOf(done);
  if (error) throw error;
  if (done.consumed !== bytes || done.isOutputPending)
    throw new WarpDriveError('WD_E_DEVICE', `the device took ${done.consumed} of ${bytes} bytes`);
  const header = options.header ?? NO_HEADER;
  const trailer = options.isWhole && options.format === 'deflate' ? GZIP_TRAILER_BYTES : 0;
  const produced = done.produced - trailer;
  const output = slot.destination.bytes;
  if (headerRoomBytes !== undefined) {
    const from = headerRoomBytes - header.length;
    output.set(header, from);
    const placed = output.subarray(from, headerRoomBytes + produced);
    return { bytes: placed, checksum: done.checksum, core: done.core };
  }
  const size = header.length + produced;
  const made = options.outputs?.take(size) ?? Buffer.allocUnsafe(size);
  made.set(header);
  copyBytes(made, header.length, output.subarray(0, produced));
  return { bytes: made, checksum: done.checksum, core: done.core };
}
