import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  QM_ERROR_MASK,
  QM_ERRORS,
  QM_REGISTERS,
  SHAPER_TYPE_RATE,
  SQC_VFT,
  VFT_TYPE,
} from './qm-registers.ts';
import type { register } from './register.ts';
import {
  ZIP_CORE_REGISTERS,
  ZIP_CORES,
  ZIP_ERROR_MASK,
  ZIP_ERRORS,
  ZIP_REGISTERS,
  zipCoreRegister,
} from './zip-registers.ts';

/**
 * Offsets and reset values as the kernel's headers have them, typed here once more. Reset values without a source are
 * 0, or "masked" for interrupt masks.
 */
const QM_GOLDEN: Record<keyof typeof QM_REGISTERS, [offset: string, access: string, reset: string]> = {
  aeqIntSource: ['0', 'RO', '0'],
  aeqIntMask: ['4', 'RW', '1'],
  eqIntSource: ['8', 'RO', '0'],
  eqIntMask: ['c', 'RW', '1'],
  ifcIntSourceV: ['20', 'W1C', '0'],
  ifcIntMask: ['24', 'RW', '1'],
  ifcIntStatus: ['28', 'RO', '0'],
  ifcIntSetV: ['2c', 'WO', '0'],
  queueIsolationV: ['30', 'RO', '0'],
  pageSize: ['34', 'RW', '0'],
  vfState: ['60', 'RW', '1'],
  functionsActive: ['200', 'RO', '0'],
  cacheWbStart: ['204', 'WO', '0'],
  cacheWbDone: ['208', 'RO', '0'],
  capabilities: ['3100', 'RO', '4b00'],
  eventDepths: ['3104', 'RO', '4000800'], // sources.md 5.1
  queueDepths: ['3108', 'RO', '4000400'], // sources.md 5.1
  abnormalIntSource: ['100000', 'W1C', '0'],
  abnormalIntMask: ['100004', 'RW', '7fff'],
  abnormalIntStatus: ['100008', 'RO', '0'], // sources.md 5.10
  abnormalIntSet: ['10000c', 'WO', '0'],
  abnormalInfo00: ['100010', 'RO', '0'],
  abnormalInfo01: ['100014', 'RO', '0'],
  memStartInit: ['100040', 'RW', '0'], // sources.md 5.9
  memInitDone: ['100044', 'RO', '0'],
  cacheCtl: ['100050', 'RW', '0'],
  vftCfgOpEnable: ['100054', 'RW', '0'], // sources.md 5.7 from here
  vftCfgOpWr: ['100058', 'RW', '0'],
  vftCfgType: ['10005c', 'RW', '0'],
  vftCfg: ['100060', 'RW', '0'],
  vftCfgDataL: ['100064', 'RW', '0'],
  vftCfgDataH: ['100068', 'RW', '0'],
  vftCfgReady: ['10006c', 'RW', '1'],
  arUserCfg1: ['100088', 'RW', '0'],
  arUserCfgEnable: ['100090', 'RW', '0'],
  awUserCfg1: ['100098', 'RW', '0'],
  awUserCfgEnable: ['1000a0', 'RW', '0'],
  wUserCfgEnable: ['1000a8', 'RW', '0'],
  axiCfg: ['1000ac', 'RW', '0'],
  axiCfgEnable: ['1000b0', 'RW', '0'],
  pehAxUserCfg: ['1000cc', 'RW', '0'],
  pehAxUserCfgEnable: ['1000d0', 'RW', '0'],
  pehVendorId: ['1000d8', 'RO', '5a5a'],
  rasCeEnable: ['1000ec', 'RW', '0'],
  rasFeEnable: ['1000f0', 'RW', '0'],
  rasNfeEnable: ['1000f4', 'RW', '0'],
  rasCeThreshold: ['1000f8', 'RW', '0'],
  pehDfxInfo0: ['1000fc', 'RO', '0'],
  pehDfxInfo1: ['100100', 'RO', '0'],
  dfxCntClrCe: ['100118', 'RW', '0'],
  pmCtrl: ['100148', 'RW', '0'],
  queueIsolationEnable: ['100154', 'RW', '0'],
  capability: ['100158', 'RO', '200400'], // sources.md 5.1: 1024 in all, 1024 a function
  shaperCfg: ['100164', 'RW', '0'], // sources.md 5.12
  ecc1BitCnt: ['104000', 'RO', '0'],
  ecc1BitInf: ['104004', 'RO', '0'],
  eccMBitCnt: ['104008', 'RO', '0'],
  eccMBitInf: ['10400c', 'RO', '0'],
  dfxMbCntVf: ['104010', 'RW', '0'],
  dfxMbCnt: ['104018', 'RO', '0'],
  dfxDbCntVf: ['104020', 'RW', '0'],
  dfxDbCnt: ['104028', 'RO', '0'],
  dfxSqeCntVfSqn: ['104030', 'RW', '0'],
  dfxSqeCnt: ['104038', 'RO', '0'],
  dfxCqeCntVfCqn: ['104040', 'RW', '0'],
  dfxCqeCnt: ['104048', 'RO', '0'],
  dfxSendSqeToAccCnt: ['104050', 'RO', '0'],
  dfxWbSqeFromAccCnt: ['104058', 'RO', '0'],
  dfxAccFinishCnt: ['104060', 'RO', '0'],
  dfxCqeErrCnt: ['1040b4', 'RO', '0'],
  inIdleState: ['1040e4', 'RO', '1'],
  rasMsiIntSel: ['1040f4', 'RW', '0'],
  oooShutdownSel: ['1040f8', 'RW', '0'],
  masterGlobalCtrl: ['300000', 'RW', '0'], // sources.md 5.9
  singlePortMaxTrans: ['300014', 'RW', '0'],
  portWriteEnable: ['30001c', 'RW', '0'],
  robEccIntSts: ['300104', 'W1C', '0'],
  masterTransReturn: ['300150', 'RO', '0'],
};

const ZIP_GOLDEN: Record<keyof typeof ZIP_REGISTERS, [offset: string, access: string, reset: string]> = {
  qmNfeMask: ['3124', 'RO', '7c77'], // sources.md 5.10, V3
  qmResetMask: ['3128', 'RO', '6c77'],
  qmCeMask: ['312c', 'RO', '8'],
  nfeMask: ['3130', 'RO', '1ffe'],
  resetMask: ['3134', 'RO', '7fe'],
  ceMask: ['3138', 'RO', '1'],
  coreNum: ['313c', 'RO', '12050203'], // 2 + 3 cores, sources.md 5.1
  coreEnableBitmap: ['3140', 'RO', '1c0003'],
  cntClrCe: ['301000', 'RW', '0'],
  clockGateCtrl: ['301004', 'RW', '0'],
  fsmMaxCnt: ['301008', 'RW', '0'],
  zipControl: ['30100c', 'RW', '0'],
  arCache0: ['301040', 'RW', '0'],
  arCache1: ['301044', 'RW', '0'],
  awCache0: ['301060', 'RW', '0'],
  awCache1: ['301064', 'RW', '0'],
  coreIntSource: ['3010a0', 'W1C', '0'],
  coreIntMask: ['3010a4', 'RW', '1fff'],
  coreIntSet: ['3010a8', 'WO', '0'],
  coreIntStatus: ['3010ac', 'RO', '0'], // sources.md 5.10
  bdReadUser: ['301110', 'RW', '0'],
  sglReadUser: ['30111c', 'RW', '0'],
  dataReadUser: ['301128', 'RW', '0'],
  dataWriteUser: ['301134', 'RW', '0'],
  bdWriteUser: ['301140', 'RW', '0'],
  sramEccInfo: ['301148', 'RO', '0'],
  rasCeEnable: ['301160', 'RW', '0'],
  rasNfeEnable: ['301164', 'RW', '0'],
  rasFeEnable: ['301168', 'RW', '0'],
  prefetchCfg: ['3011b0', 'RW', '0'], // sources.md 5.15
  svaTrans: ['3011c4', 'RO', '0'],
  oooShutdownSel: ['30120c', 'RW', '0'],
};

for (const [title, table, golden] of [
  ['QM_REGISTERS', QM_REGISTERS, QM_GOLDEN],
  ['ZIP_REGISTERS', ZIP_REGISTERS, ZIP_GOLDEN],
] as const)
  describe(title, () => {
    it('lists the registers of the reference and no others, each once', () => {
      assert.deepEqual(Object.keys(table), Object.keys(golden));
      const offsets = Object.values(table).map(({ offset }) => offset);
      assert.equal(new Set(offsets).size, offsets.length);
    });
    for (const [name, [offset, access, reset]] of Object.entries(golden))
      it(`has ${name} at 0x${offset}, ${access}, reset 0x${reset}`, () => {
        const { source, ...actual } = Object(table)[name] as ReturnType<typeof register>;
        assert.deepEqual(actual, {
          offset: Number.parseInt(offset, 16),
          access,
          reset: Number.parseInt(reset, 16),
        });
        assert.match(source, /^Linux /);
      });
  });

describe('zipCoreRegister (sources.md 5.15)', () => {
  const golden = {
    getBdNum: 0x0,
    getRightBd: 0x4,
    getErrorBd: 0x8,
    doneBdNum: 0xc,
    workCycle: 0x10,
    idleCycle: 0x18,
    maxDelay: 0x20,
    minDelay: 0x24,
    avgDelay: 0x28,
    consumedByte: 0x38,
    producedByte: 0x40,
  };
  it('has the offsets of a core’s block', () => assert.deepEqual({ ...ZIP_CORE_REGISTERS }, golden));
  it('starts at 0x302000 and steps by 0x1000, compress first', () => {
    assert.deepEqual({ ...ZIP_CORES }, { compress: 2, decompress: 3 });
    assert.equal(zipCoreRegister(0, 'getBdNum').offset, 0x302000);
    assert.equal(zipCoreRegister(1, 'doneBdNum').offset, 0x30300c);
    assert.equal(zipCoreRegister(4, 'producedByte').offset, 0x306040);
  });
});

describe('error bits (sources.md 5.10)', () => {
  it('names the QM’s 15 in order', () => {
    assert.equal(QM_ERRORS.length, 15);
    assert.deepEqual(
      [0, 2, 3, 7, 9, 12, 14].map((bit) => QM_ERRORS[bit]),
      [
        'qm_axi_rresp',
        'qm_ecc_mbit',
        'qm_ecc_1bit',
        'qm_sq_cq_vf_invalid',
        'qm_sq_vf_invalid',
        'qm_db_random_invalid',
        'qm_flr_timeout',
      ],
    );
  });
  it('names the engine’s 13 in order', () => {
    assert.equal(ZIP_ERRORS.length, 13);
    assert.deepEqual(
      [0, 1, 4, 8, 12].map((bit) => ZIP_ERRORS[bit]),
      ['zip_ecc_1bitt_err', 'zip_ecc_2bit_err', 'zip_src_addr_parse_err', 'zip_com_inf_err', 'zip_sva_err'],
    );
  });
  it('has V3’s masks', () => {
    assert.deepEqual({ ...QM_ERROR_MASK }, { correctable: 8, nonFatal: 0x7c77, reset: 0x6c77 });
    assert.deepEqual({ ...ZIP_ERROR_MASK }, { correctable: 1, nonFatal: 0x1ffe, reset: 0x7fe });
  });
});

describe('function table, shaper (sources.md 5.7, 5.12)', () => {
  it('places base, valid bit and count of an SQC entry', () =>
    assert.deepEqual(
      { ...SQC_VFT },
      { baseShift: 28, validBit: 44, countShift: 45, baseBits: 16, countBits: 10 },
    ));
  it('has types SQC, CQC, SHAPER', () => assert.deepEqual({ ...VFT_TYPE }, { sqc: 0, cqc: 1, shaper: 2 }));
  it('has the type rates 750 and 140', () =>
    assert.deepEqual(
      { ...SHAPER_TYPE_RATE },
      { compress: 750, decompress: 140, typeShift: 10, enableBit: 30 },
    ));
});
