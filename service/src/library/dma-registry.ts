import { WarpDriveError } from '../../../shared/src/problem.ts';
import { addressOf } from '../platform/libc.ts';

interface Entry {
  start: number;
  end: number;
  device: number;
}

/** Which of this process's memory the engine knows under which address, in the modes that map. */
export class DmaRegistry {
  private readonly entries = new Set<Entry>();

  add(bytes: Uint8Array, device: number): Entry {
    const start = addressOf(bytes);
    const entry = { start, end: start + bytes.length, device };
    this.entries.add(entry);
    return entry;
  }

  remove(entry: Entry): void {
    this.entries.delete(entry);
  }

  /** @throws WD_E_IOVA_UNMAPPED when `bytes` is not inside mapped memory */
  deviceAddress(bytes: Uint8Array): number {
    const start = addressOf(bytes);
    for (const entry of this.entries)
      if (start >= entry.start && start + bytes.length <= entry.end)
        return entry.device + (start - entry.start);
    throw new WarpDriveError(
      'WD_E_IOVA_UNMAPPED',
      `a buffer of ${bytes.length} bytes is not inside mapped memory: use allocate() or map()`,
      { field: 'buffer' },
    );
  }
}
