import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { AcceleratorLibrary, OpenStream, StreamState } from '../warpdrive/accelerator-library.ts';

/** From here on a piece has enough of itself to match, and goes as a job of its own that any core may take. */
const LONG_PIECE_BYTES = 32 * 1024;

/**
 * The device context of a compress stream that is flushed often: its pieces go as one stateful stream, so that a
 * flush every few bytes does not lose the dictionary. Long pieces stay stateless; history begins anew after them.
 * Where there is no memory for a context, all pieces are stateless.
 */
export class FlushHistory {
  private open: OpenStream | undefined;
  private busy = false;
  private isClosed = false;

  constructor(library: AcceleratorLibrary) {
    try {
      this.open = library.openStream();
    } catch (error) {
      if (!(error instanceof WarpDriveError) || error.code !== 'WD_E_NO_MEMORY') throw error;
    }
  }

  /** A piece of the stream is being made. */
  get isBusy(): boolean {
    return this.busy;
  }

  /** @returns the stream for a piece of so many bytes, until `end`; undefined: it goes without history */
  begin(bytes: number): StreamState | undefined {
    if (!this.open) return undefined;
    if (bytes > LONG_PIECE_BYTES) {
      this.open.state.isNew = true;
      return undefined;
    }
    this.busy = true;
    return this.open.state;
  }

  /** The piece is made, or never will be. */
  end(): void {
    this.busy = false;
    if (this.isClosed) this.release();
  }

  /** Not while the engine may still write the context. */
  close(): void {
    this.isClosed = true;
    if (!this.busy) this.release();
  }

  private release(): void {
    this.open?.close();
    this.open = undefined;
  }
}
