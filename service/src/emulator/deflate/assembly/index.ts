/** What the host calls. All addresses are of the shared memory; all checks of ranges are the host's. */
import { checksum, initChecksum } from './checksum';
import { initConstantTables } from './constant-tables';
import { initDecodeTemplates } from './decode-table';
import { deflateJob, initDeflate } from './deflate';
import { inflateJob } from './inflate';
import { initFixedTables } from './inflate-header';
import { SCRATCH_BYTES, setScratch } from './layout';

/** Bytes of scratch that an instance needs, 64-byte aligned. */
export function scratchBytes(): usize {
  return SCRATCH_BYTES;
}

/** Must be called once, before anything else; overwrites the scratch range. */
export function init(scratchAddress: usize): void {
  setScratch(scratchAddress);
  memory.fill(scratchAddress, 0, SCRATCH_BYTES);
  initConstantTables();
  initChecksum();
  initDecodeTemplates();
  initFixedTables();
  initDeflate();
}

export { checksum, deflateJob, inflateJob };
