import { QM_REGISTERS } from '../../hw-abi/qm-registers.ts';
import { ZIP_REGISTERS } from '../../hw-abi/zip-registers.ts';
import type { RegisterAccess } from './register-access.ts';

/** Attributes of the device's bus accesses (hisi_acc_qm.h AXUSER_BASE: snoop, SMMU normal, NS, NO, FP). */
const AXUSER_BASE = 0x4000_1070;
/** The access carries a PASID (substream valid). */
const AXUSER_SSV = 1;
const CACHE_ALL = 0xffff_ffff;
/** 2 compress and 6 decompress cores plus the check of what is decompressed; a V3 engine ignores what it lacks. */
const ALL_CORES = 0x1_00ff;
/** SQC and CQC cache with write-back, threshold 1 (QM_CACHE_CTL). */
const CACHE_WRITE_BACK = 0x1833;
const PREFETCH_OFF = 1 << 26;
const PREFETCH_OFF_STATUS = (1 << 26) | (1 << 30);

/** hisi_zip_set_user_domain_and_cache, in its order. */
export function configureUserDomain(registers: RegisterAccess): void {
  const write = registers.write.bind(registers);
  write(QM_REGISTERS.arUserCfg1, AXUSER_BASE);
  write(QM_REGISTERS.arUserCfgEnable, 0xffff_fffe);
  write(QM_REGISTERS.awUserCfg1, AXUSER_BASE);
  write(QM_REGISTERS.awUserCfgEnable, 0xffff_fffe);
  write(QM_REGISTERS.wUserCfgEnable, 0xffff_ffff);
  write(QM_REGISTERS.axiCfg, 0xffff);
  write(QM_REGISTERS.axiCfgEnable, 0xffff_ffff);
  write(QM_REGISTERS.pehAxUserCfg, 0x40_1001);
  write(QM_REGISTERS.pehAxUserCfgEnable, 0xffff_ffff);
  for (const cache of ['arCache0', 'arCache1', 'awCache0', 'awCache1'] as const)
    write(ZIP_REGISTERS[cache], CACHE_ALL);
  write(ZIP_REGISTERS.bdReadUser, AXUSER_BASE);
  write(ZIP_REGISTERS.sglReadUser, AXUSER_BASE);
  write(ZIP_REGISTERS.bdWriteUser, AXUSER_BASE);
  write(ZIP_REGISTERS.dataReadUser, AXUSER_BASE | AXUSER_SSV);
  write(ZIP_REGISTERS.dataWriteUser, AXUSER_BASE | AXUSER_SSV);
  write(ZIP_REGISTERS.clockGateCtrl, ALL_CORES);
  write(QM_REGISTERS.cacheCtl, CACHE_WRITE_BACK);
}

/** hisi_zip_open_sva_prefetch and its inverse. @throws WD_E_DEVICE when the device does not follow */
export function setPrefetch(registers: RegisterAccess, isOn: boolean): void {
  const before = registers.read(ZIP_REGISTERS.prefetchCfg);
  registers.write(ZIP_REGISTERS.prefetchCfg, (isOn ? before & ~PREFETCH_OFF : before | PREFETCH_OFF) >>> 0);
  if (!isOn) registers.await(ZIP_REGISTERS.svaTrans, (value) => (value & PREFETCH_OFF_STATUS) === 0);
}
