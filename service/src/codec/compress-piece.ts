import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { AcceleratorLibrary, JobSlot } from '../warpdrive/accelerator-library.ts';
import type { ByteQueue } from './byte-queue.ts';
import { errorOf } from './completion-error.ts';
import type { CompressedPiece, PieceOptions } from './piece.ts';
import { compressInSoftware, mayFallBack } from './software.ts';

const GZIP_TRAILER_BYTES = 8;
const DEVICE_ATTEMPTS = 2;

/**
 * Runs the first `bytes` of `input` as one stateless job. Raw DEFLATE goes as gzip, because only then the device
 * keeps a checksum; its trailer is cut off again.
 * @returns once the input was taken; `output` settles when the job is complete, and by then its slot is released
 * @throws WD_E_NO_QUEUE, WD_E_ABORTED; `output` rejects with WD_E_DEVICE and the like
 */
export async function compressPiece(
  library: AcceleratorLibrary,
  input: ByteQueue,
  bytes: number,
  options: PieceOptions,
): Promise<{ output: Promise<CompressedPiece> }> {
  const slots = library.slotsFor(bytes);
  const slot = slots.tryAcquire() ?? (await slots.acquire(options.signal));
  try {
    // the stream may have gone while it waited for the slot
    if (input.length < bytes) throw new WarpDriveError('WD_E_ABORTED', 'the stream was aborted');
    input.peekInto(slot.source.bytes.subarray(0, bytes));
    input.drop(bytes);
    const output = runPiece(library, slot, bytes, options);
    const release = (): void => slots.release(slot);
    output.then(release, release);
    return { output };
  } catch (error) {
    slots.release(slot);
    throw error;
  }
}

/**
 * On the device if it is there; once more if the device failed the job, because a queue that was reset is open again
 * by then; else in software, if that is allowed.
 */
async function runPiece(
  library: AcceleratorLibrary,
  slot: JobSlot,
  bytes: number,
  options: PieceOptions,
): Promise<CompressedPiece> {
  let failure: WarpDriveError | undefined;
  for (let attempt = 0; attempt < DEVICE_ATTEMPTS && library.unavailable() === undefined; attempt++) {
    try {
      return await runOnDevice(library, slot, bytes, options);
    } catch (error) {
      if (!mayFallBack(error)) throw error;
      failure = error;
    }
  }
  const reason = library.unavailable() ?? failure?.code ?? 'device unavailable';
  if (!library.allowsSoftware) throw failure ?? new WarpDriveError('WD_E_NO_QUEUE', `no device: ${reason}`);
  return compressInSoftware(Buffer.from(slot.source.bytes.subarray(0, bytes)), options, reason);
}

async function runOnDevice(
  library: AcceleratorLibrary,
  slot: JobSlot,
  bytes: number,
  options: PieceOptions,
): Promise<CompressedPiece> {
  const done = await library.run('compress', {
    format: options.format === 'zlib' ? 'zlib' : 'gzip',
    level: options.level,
    source: slot.source.address,
    sourceBytes: bytes,
    destination: slot.destination.address,
    // no more than it may need: each page of it is translated
    destinationBytes: Math.min(slot.destination.bytes.length, library.worstCaseBytes(bytes)),
    isFinal: options.isWhole,
  });
  const error = errorOf(done);
  if (error) throw error;
  const trailer = options.isWhole && options.format === 'deflate' ? GZIP_TRAILER_BYTES : 0;
  const made = Buffer.from(slot.destination.bytes.subarray(0, done.produced - trailer));
  return { bytes: made, checksum: done.checksum, core: done.core };
}
