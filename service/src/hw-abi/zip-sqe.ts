/**
 * The ZIP submission queue entry: 128 bytes, 32 little-endian words.
 * Sources: UADK drv/hisi_comp.c (`hisi_zip_sqe`, type 3), v1/drv/hisi_zip_udrv.h; Linux drivers/crypto/hisilicon/zip.
 * Where silicon has no field for something that the emulated engine offers, the note says "emulator".
 */
import { addressField, field } from './field.ts';

export const SQE_BYTES = 128;
export const SQE_WORDS = SQE_BYTES / 4;

const UADK = 'UADK drv/hisi_comp.c struct hisi_zip_sqe';
const ZIPK = 'Linux drivers/crypto/hisilicon/zip/zip.h struct hisi_zip_sqe';

export const SQE = {
  consumed: field(0, 0, 32, 'out', `${UADK} consumed`),
  produced: field(1, 0, 32, 'out', `${UADK} produced`),
  compDataLength: field(2, 0, 32, 'out', `${UADK} comp_data_length`),
  status: field(3, 0, 8, 'out', `${UADK} dw3`),
  lastBlock: field(3, 8, 1, 'out', `${UADK} dw3 lstblk`),
  inputDataLength: field(4, 0, 32, 'in', `${UADK} input_data_length`),
  lba: addressField(5, 'in', `${UADK} dw5, dw6`),
  inSgeDataOffset: field(7, 0, 24, 'in', `${ZIPK} dw7`),
  flush: field(7, 25, 1, 'in', `${UADK} dw7: 0 sync flush, 1 finish`),
  streamMode: field(7, 26, 1, 'in', `${UADK} dw7: 0 stateless, 1 stateful`),
  streamNew: field(7, 27, 1, 'in', `${UADK} dw7: 1 first SQE of a stream`),
  sqeType: field(7, 28, 4, 'in', `${ZIPK} dw7`),
  outSgeDataOffset: field(8, 0, 24, 'in', `${ZIPK} dw8`),
  requestType: field(9, 0, 8, 'in', `${UADK} dw9`),
  bufferType: field(9, 8, 4, 'in', `${UADK} dw9`),
  window: field(9, 12, 4, 'in', `${UADK} dw9`),
  difGenerate: field(10, 0, 32, 'in', `${ZIPK} dw10: page layout, guard, version, app tag; 0 without DIF`),
  /** emulator: compression level 1–9, 0 = the device's choice; silicon ignores the word. */
  level: field(11, 0, 4, 'in', `${UADK} priv_info`),
  difVerify: field(12, 0, 32, 'in', `${ZIPK} dw12: reference tag, pad, verify, block size; 0 without DIF`),
  /** V2's tag; on V3 unused for DEFLATE, where the emulator answers core id + 1 in the low byte. */
  dw13: field(13, 0, 32, 'in/out', `${ZIPK} tag`),
  coreTag: field(13, 0, 8, 'out', 'emulator: engine core kind, see CORE_TAGS; silicon leaves it 0'),
  /** V2 has its tag in dw13, and dw26 free unless it encrypts. */
  coreTagV2: field(26, 0, 8, 'out', 'emulator: the same on V2'),
  destAvailOut: field(14, 0, 32, 'in', `${UADK} dest_avail_out`),
  ctxDw0: field(15, 0, 32, 'in/out', `${UADK} ctx_dw0`),
  compHead: addressField(16, 'in', `${UADK} comp_head_addr`),
  source: addressField(18, 'in', `${UADK} source_addr`),
  destination: addressField(20, 'in', `${UADK} dest_addr`),
  streamContext: addressField(22, 'in', `${UADK} stream_ctx_addr`),
  literals: addressField(24, 'in', `${UADK} literals_addr`),
  dw26: field(26, 0, 32, 'in/out', `${UADK} tag`),
  dw27: field(27, 0, 32, 'in/out', 'UADK v1/drv/hisi_zip_udrv.h tag_h'),
  ctxDw1: field(28, 0, 32, 'in/out', `${UADK} ctx_dw1`),
  ctxDw2: field(29, 0, 32, 'in/out', `${UADK} ctx_dw2`),
  isize: field(30, 0, 32, 'in/out', `${UADK} isize`),
  checksum: field(31, 0, 32, 'in/out', `${UADK} checksum`),
} as const;

/** Words of the SQE that the device writes back; all others belong to software. */
export const SQE_OUT_WORDS = [0, 1, 2, 3, 13, 15, 28, 29, 30, 31] as const;

export const REQUEST_TYPE = { deflate: 0x01, zlib: 0x02, gzip: 0x03, lz4: 0x04 } as const;
export const BUFFER_TYPE = { flat: 0, sgl: 1 } as const;
export const FLUSH = { sync: 0, finish: 1 } as const;
export const LARGEST_WINDOW_BYTES = 32768;
/** Window codes 0–4 (UADK include/wd_comp.h enum wd_comp_winsz_type). */
export const WINDOW_BYTES = [4096, 8192, 16384, 24576, 32768] as const;
export const CORE_TAGS = ['none', 'zlib', 'isal', 'wasm'] as const;

/** Status codes, dw3[7:0]: UADK drv/hisi_comp.c and v1/drv/hisi_zip_udrv.c. */
export const STATUS = {
  ok: 0x00,
  negativeCompression: 0x0d,
  outputExhausted: 0x0e,
  sourceDif: 0x0f,
  checksum: 0x10,
  destinationDif: 0x12,
  decompressionEnd: 0x13,
  /** Seen in the field with a bus error (Linaro/uadk issue 226); ours for an access that the IOMMU aborted. */
  busError: 0x41,
  /** emulator: the published tables name no code for these. */
  badRequest: 0x02,
  corruptData: 0x03,
  coreFailure: 0x42,
} as const;

/** ctx_dw0 bits (UADK drv/hisi_comp.c). */
export const CTX = {
  state: field(15, 0, 4, 'in/out', `${UADK} ctx_dw0 ctx_st`),
  finalBlockSeen: field(15, 7, 1, 'in/out', `${UADK} ctx_dw0 bit 7: the header of the last block was read`),
  headerBits: field(15, 10, 6, 'in/out', `${UADK} ctx_dw0 [15:10]: bits of input that wait in the context`),
  /** emulator: the DEFLATE data is complete, its trailer is awaited. */
  dataEnded: field(15, 16, 1, 'in/out', 'emulator'),
  storedLeft: field(28, 0, 19, 'in/out', `${UADK} ctx_dw1 [18:0]: bytes that the stored block still has`),
  windowLength: field(29, 0, 16, 'in/out', `${UADK} ctx_dw2 [15:0]: bytes of window in the context`),
} as const;
export const CTX_STATE = { none: 0, lastBlockNoSpace: 1, inflateNoSpace: 2, blockNotStarted: 3 } as const;

/** Stream context of a stateful job: 64 software bytes, then the device's (UADK: HW_CTX_SIZE, 64-byte offset). */
export const STREAM_CONTEXT_BYTES = 0x10000;
export const STREAM_CONTEXT_HW_OFFSET = 64;

/** Least destination of a stateful job (UADK: 200; drivers with less room go through a store buffer). */
export const MIN_STATEFUL_OUTPUT_BYTES = 200;

/** Largest flat buffer, 8 MiB (UADK drv/hisi_comp.c HZ_MAX_SIZE). */
export const MAX_FLAT_BYTES = 8 * 1024 * 1024;
