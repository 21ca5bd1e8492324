/**
 * The ZIP engine's registers, V3, all of the physical function.
 * Source: Linux drivers/crypto/hisilicon/zip/zip_main.c, names without their HZIP_ prefix.
 */
import { type Register, register } from './register.ts';

const ZIP = 'Linux drivers/crypto/hisilicon/zip/zip_main.c';

export const ZIP_REGISTERS = {
  // capabilities, in the function's own range
  qmNfeMask: register(0x3124, 'RO', 0x7c77, `${ZIP} ZIP_QM_NFE_MASK_CAP`),
  qmResetMask: register(0x3128, 'RO', 0x6c77, `${ZIP} ZIP_QM_RESET_MASK_CAP`),
  qmCeMask: register(0x312c, 'RO', 0x8, `${ZIP} ZIP_QM_CE_MASK_CAP`),
  nfeMask: register(0x3130, 'RO', 0x1ffe, `${ZIP} ZIP_NFE_MASK_CAP`),
  resetMask: register(0x3134, 'RO', 0x7fe, `${ZIP} ZIP_RESET_MASK_CAP`),
  ceMask: register(0x3138, 'RO', 0x1, `${ZIP} ZIP_CE_MASK_CAP`),
  /** Clusters [31:28], core types [27:24], cores [23:16], compress [15:8], decompress [7:0]. */
  coreNum: register(0x313c, 'RO', 0x1205_0203, `${ZIP} ZIP_CORE_NUM_CAP and neighbours`),
  /** Decompress [31:16], compress [15:0]. */
  coreEnableBitmap: register(
    0x3140,
    'RO',
    0x001c_0003,
    `${ZIP} ZIP_DECOMP_ENABLE_BITMAP, ZIP_COMP_ENABLE_BITMAP`,
  ),

  // 1 = the core counters are cleared when they are read
  cntClrCe: register(0x30_1000, 'RW', 0, `${ZIP} HZIP_SOFT_CTRL_CNT_CLR_CE`),
  clockGateCtrl: register(0x30_1004, 'RW', 0, `${ZIP} HZIP_CLOCK_GATE_CTRL`),
  fsmMaxCnt: register(0x30_1008, 'RW', 0, `${ZIP} HZIP_FSM_MAX_CNT`),
  zipControl: register(0x30_100c, 'RW', 0, `${ZIP} HZIP_SOFT_CTRL_ZIP_CONTROL`),
  arCache0: register(0x30_1040, 'RW', 0, `${ZIP} HZIP_PORT_ARCA_CHE_0`),
  arCache1: register(0x30_1044, 'RW', 0, `${ZIP} HZIP_PORT_ARCA_CHE_1`),
  awCache0: register(0x30_1060, 'RW', 0, `${ZIP} HZIP_PORT_AWCA_CHE_0`),
  awCache1: register(0x30_1064, 'RW', 0, `${ZIP} HZIP_PORT_AWCA_CHE_1`),
  coreIntSource: register(0x30_10a0, 'W1C', 0, `${ZIP} HZIP_CORE_INT_SOURCE`),
  coreIntMask: register(0x30_10a4, 'RW', 0x1fff, `${ZIP} HZIP_CORE_INT_MASK_REG`),
  coreIntSet: register(0x30_10a8, 'WO', 0, `${ZIP} HZIP_CORE_INT_SET`),
  coreIntStatus: register(0x30_10ac, 'RO', 0, `${ZIP} HZIP_CORE_INT_STATUS`),
  bdReadUser: register(0x30_1110, 'RW', 0, `${ZIP} HZIP_BD_RUSER_32_63`),
  sglReadUser: register(0x30_111c, 'RW', 0, `${ZIP} HZIP_SGL_RUSER_32_63`),
  dataReadUser: register(0x30_1128, 'RW', 0, `${ZIP} HZIP_DATA_RUSER_32_63`),
  dataWriteUser: register(0x30_1134, 'RW', 0, `${ZIP} HZIP_DATA_WUSER_32_63`),
  bdWriteUser: register(0x30_1140, 'RW', 0, `${ZIP} HZIP_BD_WUSER_32_63`),
  sramEccInfo: register(0x30_1148, 'RO', 0, `${ZIP} HZIP_CORE_SRAM_ECC_ERR_INFO`),
  rasCeEnable: register(0x30_1160, 'RW', 0, `${ZIP} HZIP_CORE_INT_RAS_CE_ENB`),
  rasNfeEnable: register(0x30_1164, 'RW', 0, `${ZIP} HZIP_CORE_INT_RAS_NFE_ENB`),
  rasFeEnable: register(0x30_1168, 'RW', 0, `${ZIP} HZIP_CORE_INT_RAS_FE_ENB`),
  /** SVA prefetch: bit 26 turns it off. */
  prefetchCfg: register(0x30_11b0, 'RW', 0, `${ZIP} HZIP_PREFETCH_CFG`),
  svaTrans: register(0x30_11c4, 'RO', 0, `${ZIP} HZIP_SVA_TRANS`),
  oooShutdownSel: register(0x30_120c, 'RW', 0, `${ZIP} HZIP_OOO_SHUTDOWN_SEL`),
} as const;

/** Engine core debug blocks: compress cores first, then decompress cores. */
export const ZIP_CORE_BASE = 0x30_2000;
export const ZIP_CORE_STEP = 0x1000;
export const ZIP_CORES = { compress: 2, decompress: 3 } as const;
/** Offsets in a core's block (hzip_dfx_regs); all read only. */
export const ZIP_CORE_REGISTERS = {
  getBdNum: 0x00,
  getRightBd: 0x04,
  getErrorBd: 0x08,
  doneBdNum: 0x0c,
  workCycle: 0x10,
  idleCycle: 0x18,
  maxDelay: 0x20,
  minDelay: 0x24,
  avgDelay: 0x28,
  consumedByte: 0x38,
  producedByte: 0x40,
} as const;
export type ZipCoreRegister = keyof typeof ZIP_CORE_REGISTERS;

/** @param block 0 and 1 compress, 2 to 4 decompress */
export const zipCoreRegister = (block: number, name: ZipCoreRegister): Register =>
  register(
    ZIP_CORE_BASE + block * ZIP_CORE_STEP + ZIP_CORE_REGISTERS[name],
    'RO',
    0,
    `${ZIP} hzip_dfx_regs ${name}`,
  );

/** Error bits of coreIntStatus, by bit number (`zip_hw_error`; the double t is the kernel's). */
export const ZIP_ERRORS = [
  'zip_ecc_1bitt_err',
  'zip_ecc_2bit_err',
  'zip_axi_rresp_err',
  'zip_axi_bresp_err',
  'zip_src_addr_parse_err',
  'zip_dst_addr_parse_err',
  'zip_pre_in_addr_err',
  'zip_pre_in_data_err',
  'zip_com_inf_err',
  'zip_enc_inf_err',
  'zip_pre_out_err',
  'zip_axi_poison_err',
  'zip_sva_err',
] as const;

/** What the driver enables, V3 (zip_basic_cap_info). */
export const ZIP_ERROR_MASK = { correctable: 0x1, nonFatal: 0x1ffe, reset: 0x7fe } as const;
