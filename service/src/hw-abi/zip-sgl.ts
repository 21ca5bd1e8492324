/**
 * Scatter lists as the engine reads them: a 64-byte head, 64-byte aligned, then entries (SGEs) of 32 bytes; heads are
 * chained by `next`. Source: UADK drv/hisi_qm_udrv.c struct hisi_sgl and hisi_sge; the kernel's
 * drivers/crypto/hisilicon/sgl.c writes the same. Offsets in bytes, all fields little endian.
 */
export const SGL_HEAD_BYTES = 64;
export const SGL_ALIGNMENT = 64;
export const SGL_HEAD = {
  /** u64: address of the next head, 0 = last. */
  next: 0,
  /** u16: entries of all heads. Software's own count: the kernel writes the capacity here, so no reader relies on it. */
  entriesInChain: 8,
  /** u16: entries of this head that are valid. */
  entries: 10,
  /** u16: entries that this head has room for. */
  capacity: 12,
  /** u64: software's pointer to the next head. */
  nextVirtual: 48,
  /** u64: bytes of data of this head's entries. */
  dataBytes: 56,
} as const;

export const SGE_BYTES = 32;
export const SGE = {
  /** u64: address of the piece. */
  buffer: 0,
  /** u64: page control, 0. */
  pageControl: 8,
  /** u32: bytes of the piece. */
  length: 16,
  /** u64: software's pointer to the piece. */
  virtual: 24,
} as const;

/** Entries of one head, at most (UADK HISI_SGL_SGE_NUM_MAX). */
export const MAX_SGES = 255;
/** Bytes of one entry, at most (UADK: 8 MiB). */
export const MAX_SGE_BYTES = 8 * 1024 * 1024;
/** Heads of one chain, at most: as many as a pool has (UADK HISI_MAX_SGL_NUM). */
export const MAX_SGLS = 256;
/** The data offset fields dw7[23:0] and dw8[23:0]. */
export const MAX_SGE_DATA_OFFSET = 0xff_ffff;
