/**
 * The queue manager's registers, V3. Below 0x4000 each function has its own; from 0x100000 on they are the physical
 * function's. Names follow the kernel's without their QM_ prefix.
 * Sources: Linux drivers/crypto/hisilicon/qm.c, include/linux/hisi_acc_qm.h.
 */
import { register } from './register.ts';

const QM = 'Linux drivers/crypto/hisilicon/qm.c';
const ACC = 'Linux include/linux/hisi_acc_qm.h';

export const QM_REGISTERS = {
  // a function's own: event interrupts, state, cache write-back, capabilities
  aeqIntSource: register(0x0, 'RO', 0, `${QM} QM_VF_AEQ_INT_SOURCE`),
  aeqIntMask: register(0x4, 'RW', 1, `${QM} QM_VF_AEQ_INT_MASK`),
  eqIntSource: register(0x8, 'RO', 0, `${QM} QM_VF_EQ_INT_SOURCE`),
  eqIntMask: register(0xc, 'RW', 1, `${QM} QM_VF_EQ_INT_MASK`),
  ifcIntSourceV: register(0x20, 'W1C', 0, `${QM} QM_IFC_INT_SOURCE_V`),
  ifcIntMask: register(0x24, 'RW', 1, `${QM} QM_IFC_INT_MASK`),
  ifcIntStatus: register(0x28, 'RO', 0, `${QM} QM_IFC_INT_STATUS`),
  ifcIntSetV: register(0x2c, 'WO', 0, `${QM} QM_IFC_INT_SET_V`),
  /** Bit 0: doorbell isolation; this device has none. */
  queueIsolationV: register(0x30, 'RO', 0, `${QM} QM_QUE_ISO_CFG_V`),
  pageSize: register(0x34, 'RW', 0, `${QM} QM_PAGE_SIZE: 0 = 4 KiB, 1 = 16 KiB, 2 = 64 KiB`),
  /** 0 ready, 1 not ready; software's word to a driver that migrates the function. */
  vfState: register(0x60, 'RW', 1, `${ACC} QM_VF_STATE, enum qm_vf_state`),
  functionsActive: register(0x200, 'RO', 0, `${QM} QM_DFX_FUNS_ACTIVE_ST`),
  cacheWbStart: register(0x204, 'WO', 0, `${QM} QM_CACHE_WB_START`),
  cacheWbDone: register(0x208, 'RO', 0, `${QM} QM_CACHE_WB_DONE`),
  /** Bits 8 function QoS, 9 stop QP, 11 mailbox commands between functions, 14 SVA prefetch. */
  capabilities: register(0x3100, 'RO', 0x0000_4b00, `${QM} qm_cap_info_comm, offset 0x3100`),
  /** EQ depth in the low half, AEQ depth in the high one. */
  eventDepths: register(0x3104, 'RO', 0x0400_0800, `${QM} QM_XEQ_DEPTH_CAP`),
  queueDepths: register(0x3108, 'RO', 0x0400_0400, `${QM} QM_QP_DEPTH_CAP`),

  // physical function: abnormal interrupt
  abnormalIntSource: register(0x10_0000, 'W1C', 0, `${QM} QM_ABNORMAL_INT_SOURCE`),
  abnormalIntMask: register(0x10_0004, 'RW', 0x7fff, `${QM} QM_ABNORMAL_INT_MASK`),
  abnormalIntStatus: register(0x10_0008, 'RO', 0, `${QM} QM_ABNORMAL_INT_STATUS`),
  abnormalIntSet: register(0x10_000c, 'WO', 0, `${QM} QM_ABNORMAL_INT_SET`),
  abnormalInfo00: register(
    0x10_0010,
    'RO',
    0,
    `${QM} QM_ABNORMAL_INF00: FIFO overflow, type [7:6], function [5:0]`,
  ),
  abnormalInfo01: register(0x10_0014, 'RO', 0, `${QM} QM_ABNORMAL_INF01: doorbell timeout, likewise`),

  // memory initialisation, context cache, function table
  memStartInit: register(0x10_0040, 'RW', 0, `${QM} QM_MEM_START_INIT`),
  memInitDone: register(0x10_0044, 'RO', 0, `${QM} QM_MEM_INIT_DONE`),
  cacheCtl: register(0x10_0050, 'RW', 0, `${ACC} QM_CACHE_CTL`),
  vftCfgOpEnable: register(0x10_0054, 'RW', 0, `${QM} QM_VFT_CFG_OP_ENABLE`),
  /** 0 write the entry, 1 read it. */
  vftCfgOpWr: register(0x10_0058, 'RW', 0, `${QM} QM_VFT_CFG_OP_WR`),
  vftCfgType: register(0x10_005c, 'RW', 0, `${QM} QM_VFT_CFG_TYPE`),
  vftCfg: register(0x10_0060, 'RW', 0, `${QM} QM_VFT_CFG: function [5:0], shaper type from bit 6`),
  vftCfgDataL: register(0x10_0064, 'RW', 0, `${QM} QM_VFT_CFG_DATA_L`),
  vftCfgDataH: register(0x10_0068, 'RW', 0, `${QM} QM_VFT_CFG_DATA_H`),
  vftCfgReady: register(0x10_006c, 'RW', 1, `${QM} QM_VFT_CFG_RDY`),

  // user domain and bus attributes: kept, not interpreted
  arUserCfg1: register(0x10_0088, 'RW', 0, `${ACC} QM_ARUSER_M_CFG_1`),
  arUserCfgEnable: register(0x10_0090, 'RW', 0, `${ACC} QM_ARUSER_M_CFG_ENABLE`),
  awUserCfg1: register(0x10_0098, 'RW', 0, `${ACC} QM_AWUSER_M_CFG_1`),
  awUserCfgEnable: register(0x10_00a0, 'RW', 0, `${ACC} QM_AWUSER_M_CFG_ENABLE`),
  wUserCfgEnable: register(0x10_00a8, 'RW', 0, `${ACC} QM_WUSER_M_CFG_ENABLE`),
  axiCfg: register(0x10_00ac, 'RW', 0, `${ACC} QM_AXI_M_CFG`),
  axiCfgEnable: register(0x10_00b0, 'RW', 0, `${ACC} QM_AXI_M_CFG_ENABLE`),
  pehAxUserCfg: register(0x10_00cc, 'RW', 0, `${ACC} QM_PEH_AXUSER_CFG`),
  pehAxUserCfgEnable: register(0x10_00d0, 'RW', 0, `${ACC} QM_PEH_AXUSER_CFG_ENABLE`),
  pehVendorId: register(0x10_00d8, 'RO', 0x5a5a, `${QM} QM_PEH_VENDOR_ID`),

  // reliability
  rasCeEnable: register(0x10_00ec, 'RW', 0, `${QM} QM_RAS_CE_ENABLE`),
  rasFeEnable: register(0x10_00f0, 'RW', 0, `${QM} QM_RAS_FE_ENABLE`),
  rasNfeEnable: register(0x10_00f4, 'RW', 0, `${QM} QM_RAS_NFE_ENABLE`),
  rasCeThreshold: register(0x10_00f8, 'RW', 0, `${QM} QM_RAS_CE_THRESHOLD`),
  pehDfxInfo0: register(0x10_00fc, 'RO', 0, `${QM} QM_PEH_DFX_INFO0`),
  pehDfxInfo1: register(0x10_0100, 'RO', 0, `${QM} QM_PEH_DFX_INFO1`),
  /** 1 = the debug counters are cleared when they are read. */
  dfxCntClrCe: register(0x10_0118, 'RW', 0, `${QM} QM_DFX_CNT_CLR_CE`),
  pmCtrl: register(0x10_0148, 'RW', 0, `${QM} QM_PM_CTRL`),
  queueIsolationEnable: register(0x10_0154, 'RW', 0, `${QM} QM_QUE_ISO_EN`),
  /** Queues [10:0] of the device, [21:11] of one function at most. */
  capability: register(0x10_0158, 'RO', 0x0020_0400, `${QM} QM_CAPBILITY`),
  /** Share of a function's rate by type: compress [9:0], decompress from bit 10; bit 30 enables. */
  shaperCfg: register(0x10_0164, 'RW', 0, `${ACC} QM_SHAPER_CFG`),

  // debug counters and the selectors of what they count
  ecc1BitCnt: register(0x10_4000, 'RO', 0, `${QM} qm_dfx_regs QM_ECC_1BIT_CNT`),
  ecc1BitInf: register(0x10_4004, 'RO', 0, `${QM} qm_dfx_regs QM_ECC_1BIT_INF`),
  eccMBitCnt: register(0x10_4008, 'RO', 0, `${QM} qm_dfx_regs QM_ECC_MBIT_CNT`),
  eccMBitInf: register(0x10_400c, 'RO', 0, `${QM} qm_dfx_regs QM_ECC_MBIT_INF`),
  dfxMbCntVf: register(0x10_4010, 'RW', 0, `${QM} QM_DFX_MB_CNT_VF`),
  dfxMbCnt: register(0x10_4018, 'RO', 0, `${QM} qm_dfx_regs QM_DFX_MB_CNT`),
  dfxDbCntVf: register(0x10_4020, 'RW', 0, `${QM} QM_DFX_DB_CNT_VF`),
  dfxDbCnt: register(0x10_4028, 'RO', 0, `${QM} qm_dfx_regs QM_DFX_DB_CNT`),
  /** Function [5:0], queue [31:16]. */
  dfxSqeCntVfSqn: register(0x10_4030, 'RW', 0, `${QM} QM_DFX_SQE_CNT_VF_SQN`),
  dfxSqeCnt: register(0x10_4038, 'RO', 0, `${QM} qm_dfx_regs QM_DFX_SQE_CNT`),
  dfxCqeCntVfCqn: register(0x10_4040, 'RW', 0, `${QM} QM_DFX_CQE_CNT_VF_CQN`),
  dfxCqeCnt: register(0x10_4048, 'RO', 0, `${QM} qm_dfx_regs QM_DFX_CQE_CNT`),
  dfxSendSqeToAccCnt: register(0x10_4050, 'RO', 0, `${QM} qm_dfx_regs QM_DFX_SEND_SQE_TO_ACC_CNT`),
  dfxWbSqeFromAccCnt: register(0x10_4058, 'RO', 0, `${QM} qm_dfx_regs QM_DFX_WB_SQE_FROM_ACC_CNT`),
  dfxAccFinishCnt: register(0x10_4060, 'RO', 0, `${QM} qm_dfx_regs QM_DFX_ACC_FINISH_CNT`),
  dfxCqeErrCnt: register(0x10_40b4, 'RO', 0, `${QM} qm_dfx_regs QM_DFX_CQE_ERR_CNT`),
  inIdleState: register(0x10_40e4, 'RO', 1, `${QM} qm_dfx_regs QM_IN_IDLE_ST`),
  rasMsiIntSel: register(0x10_40f4, 'RW', 0, `${QM} QM_RAS_MSI_INT_SEL`),
  /** Errors that block the device's bus master at once. */
  oooShutdownSel: register(0x10_40f8, 'RW', 0, `${QM} QM_OOO_SHUTDOWN_SEL`),

  // bus master
  masterGlobalCtrl: register(0x30_0000, 'RW', 0, `${QM} ACC_MASTER_GLOBAL_CTRL: 1 = shut down`),
  singlePortMaxTrans: register(0x30_0014, 'RW', 0, `${ACC} AM_CFG_SINGLE_PORT_MAX_TRANS`),
  portWriteEnable: register(0x30_001c, 'RW', 0, `${QM} ACC_AM_CFG_PORT_WR_EN`),
  robEccIntSts: register(0x30_0104, 'W1C', 0, `${QM} ACC_AM_ROB_ECC_INT_STS`),
  /** 3 = no read and no write of the device is on the bus. */
  masterTransReturn: register(0x30_0150, 'RO', 0, `${QM} ACC_MASTER_TRANS_RETURN`),
} as const;

export const VFT_TYPE = { sqc: 0, cqc: 1, shaper: 2 } as const;
/** Function table entry, V2 and later, as low and high word: base << 28, valid bit 44, (count − 1) << 45. */
export const SQC_VFT = { baseShift: 28, validBit: 44, countShift: 45, baseBits: 16, countBits: 10 } as const;
export const CQC_VFT_VALID_BIT = 28;

export const MASTER_TRANS_RETURN_IDLE = 3;
/** Default of the driver's module parameter: what a type may use of its function's rate (sources.md 5.12). */
export const SHAPER_TYPE_RATE = { compress: 750, decompress: 140, typeShift: 10, enableBit: 30 } as const;

/** Error bits of abnormalIntStatus, by bit number (`qm_hw_error`). */
export const QM_ERRORS = [
  'qm_axi_rresp',
  'qm_axi_bresp',
  'qm_ecc_mbit',
  'qm_ecc_1bit',
  'qm_acc_get_task_timeout',
  'qm_acc_do_task_timeout',
  'qm_acc_wb_not_ready_timeout',
  'qm_sq_cq_vf_invalid',
  'qm_cq_vf_invalid',
  'qm_sq_vf_invalid',
  'qm_db_timeout',
  'qm_of_fifo_of',
  'qm_db_random_invalid',
  'qm_mailbox_timeout',
  'qm_flr_timeout',
] as const;

/** What the driver enables, V3 (zip_basic_cap_info): correctable, not fatal, and those of the latter that need a reset. */
export const QM_ERROR_MASK = { correctable: 0x8, nonFatal: 0x7c77, reset: 0x6c77 } as const;
