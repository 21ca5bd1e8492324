import type { Format } from '../../../shared/src/format.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { StreamState, WindowBytes } from '../warpdrive/accelerator-library.ts';
import type { OutputBuffers } from './output-buffers.ts';

/** How one piece of a member is made, by the device or in software. */
export interface PieceOptions {
  format: Format;
  level: number;
  windowBytes?: WindowBytes | undefined;
  /** The piece is the whole body: final block, and the device writes the trailer. */
  isWhole: boolean;
  /** The piece may reach back into the pieces of this stream before it; absent: it stands alone. */
  stream?: StreamState;
  /** Goes before the piece's bytes. */
  header?: Uint8Array;
  signal?: AbortSignal | undefined;
  /** Where memory for the output comes from, unless it stays in place. */
  outputs?: OutputBuffers | undefined;
}

export interface CompressedPiece {
  /**
   * The header asked for and the DEFLATE data of the piece; with the trailer if it is the whole body. A copy: the slot is
   * free again. In place if the input was.
   */
  bytes: Uint8Array;
  /** CRC-32 of the input, or Adler-32 for zlib. */
  checksum: number;
  core: CoreName | undefined;
  /** Set when software made it: why. */
  fallbackReason?: string;
  /** The device made it at its second try. */
  isRetried?: boolean;
}
