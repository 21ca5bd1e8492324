import { hex } from '../../../../shared/src/units.ts';
import { QM_REGISTERS } from '../../hw-abi/qm-registers.ts';
import type { Register } from '../../hw-abi/register.ts';
import {
  ZIP_CORE_REGISTERS,
  ZIP_CORES,
  ZIP_REGISTERS,
  type ZipCoreRegister,
  zipCoreRegister,
} from '../../hw-abi/zip-registers.ts';
import { kernelError } from '../errno.ts';
import type { ParentDevice } from '../mdev/parent-device.ts';
import type { QueueManager } from '../qm/queue-manager.ts';
import type { QmStatistics } from '../qm/statistics.ts';
import { attribute, directory, type SysfsDirectory, type SysfsFile } from './node.ts';

/** What a function's queues did since start. */
export interface FunctionStatistics {
  sent: number;
  received: number;
  /** Submissions refused because a ring was full. */
  sendBusy: number;
  errorBds: number;
}

export interface DebugfsParts {
  parent: ParentDevice;
  queueManager: QueueManager;
  statistics: () => FunctionStatistics;
}

/** `qm/regs`, with the names that qm.c prints. */
const QM_DUMP: readonly (readonly [name: string, register: Register])[] = [
  ['QM_ECC_1BIT_CNT', QM_REGISTERS.ecc1BitCnt],
  ['QM_ECC_MBIT_CNT', QM_REGISTERS.eccMBitCnt],
  ['QM_DFX_MB_CNT', QM_REGISTERS.dfxMbCnt],
  ['QM_DFX_DB_CNT', QM_REGISTERS.dfxDbCnt],
  ['QM_DFX_SQE_CNT', QM_REGISTERS.dfxSqeCnt],
  ['QM_DFX_CQE_CNT', QM_REGISTERS.dfxCqeCnt],
  ['QM_DFX_SEND_SQE_TO_ACC_CNT', QM_REGISTERS.dfxSendSqeToAccCnt],
  ['QM_DFX_WB_SQE_FROM_ACC_CNT', QM_REGISTERS.dfxWbSqeFromAccCnt],
  ['QM_DFX_ACC_FINISH_CNT', QM_REGISTERS.dfxAccFinishCnt],
  ['QM_DFX_CQE_ERR_CNT', QM_REGISTERS.dfxCqeErrCnt],
  ['QM_DFX_FUNS_ACTIVE_ST', QM_REGISTERS.functionsActive],
  ['QM_ECC_1BIT_INF', QM_REGISTERS.ecc1BitInf],
  ['QM_ECC_MBIT_INF', QM_REGISTERS.eccMBitInf],
  ['QM_IN_IDLE_ST', QM_REGISTERS.inIdleState],
];
/** `*_core<n>/regs`, with the names that zip_main.c prints, its spelling included. */
const CORE_DUMP: Record<ZipCoreRegister, string> = {
  getBdNum: 'HZIP_GET_BD_NUM',
  getRightBd: 'HZIP_GET_RIGHT_BD',
  getErrorBd: 'HZIP_GET_ERROR_BD',
  doneBdNum: 'HZIP_DONE_BD_NUM',
  workCycle: 'HZIP_WORK_CYCLE',
  idleCycle: 'HZIP_IDLE_CYCLE',
  maxDelay: 'HZIP_MAX_DELAY',
  minDelay: 'HZIP_MIN_DELAY',
  avgDelay: 'HZIP_AVG_DELAY',
  consumedByte: 'HZIP_COMSUMED_BYTE',
  producedByte: 'HZIP_PRODUCED_BYTE',
};
const NAME_WIDTH = 30;
const QUEUE_SHIFT = 16;

/** `/sys/kernel/debug/hisi_zip` (Linux Documentation/ABI/testing/debugfs-hisi-zip; sources.md 5.15). */
export function debugfs(parts: DebugfsParts): SysfsDirectory {
  const { parent, queueManager } = parts;
  const { registers } = queueManager;
  const dump = (list: readonly (readonly [string, Register])[]): SysfsFile => ({
    kind: 'file',
    mode: 0o444,
    read: () =>
      list
        .map(([name, register]) => `${name.padEnd(NAME_WIDTH)}= ${hex(registers.read(register))}\n`)
        .join(''),
  });
  const clearEnable = (register: Register): SysfsFile =>
    numberFile(
      0o600,
      () => registers.read(register) & 1,
      (value) => {
        if (value > 1)
          throw kernelError('EINVAL', `clear_enable ${value} is neither 0 nor 1`, { field: 'text' });
        registers.write(register, value);
      },
    );
  const watched = QM_DUMP.map(([, register]) => register);
  queueManager.changedRegisters(watched); // what diff_regs compares with: the device as it was brought up
  const cores: Record<string, SysfsDirectory> = {};
  for (let block = 0; block < ZIP_CORES.compress + ZIP_CORES.decompress; block++) {
    const isCompress = block < ZIP_CORES.compress;
    const name = isCompress ? `comp_core${block}` : `decomp_core${block - ZIP_CORES.compress}`;
    const list = (Object.keys(ZIP_CORE_REGISTERS) as ZipCoreRegister[]).map(
      (key) => [CORE_DUMP[key], zipCoreRegister(block, key)] as const,
    );
    cores[name] = directory({ regs: dump(list) });
  }
  return directory({
    [parent.bdf]: directory({
      alg_qos: {
        kind: 'file',
        mode: 0o644,
        read: () => `${queueManager.qos}\n`,
        write: (text) => queueManager.setQos(text, parent.bdf),
      },
      clear_enable: clearEnable(ZIP_REGISTERS.cntClrCe),
      ...cores,
      qm: directory({
        regs: dump(QM_DUMP),
        diff_regs: attribute(() => queueManager.changedRegisters(watched)),
        current_q: currentQueue(parts),
        clear_enable: clearEnable(QM_REGISTERS.dfxCntClrCe),
        status: attribute(() => queueManager.state),
        ...driverCounters(queueManager.statistics),
        create_qp_err: difference(() => parent.refusals),
        ras: attribute(() =>
          [...queueManager.errors.found].map(([name, count]) => `${name} ${count}`).join('\n'),
        ),
      }),
      zip_dfx: zipCounters(parts.statistics),
    }),
  });
}

/** Which queue the SQE and CQE counters of `qm/regs` count. */
function currentQueue({ parent, queueManager }: DebugfsParts): SysfsFile {
  const { registers } = queueManager;
  const { dfxSqeCntVfSqn, dfxCqeCntVfCqn } = QM_REGISTERS;
  return numberFile(
    0o600,
    () => registers.read(dfxSqeCntVfSqn) >>> QUEUE_SHIFT,
    (value) => {
      if (value >= parent.queuesTotal)
        throw kernelError('EINVAL', `current_q ${value} is not from 0 to ${parent.queuesTotal - 1}`, {
          field: 'text',
        });
      for (const selector of [dfxSqeCntVfSqn, dfxCqeCntVfCqn])
        registers.write(selector, ((registers.read(selector) & 0x3f) | (value << QUEUE_SHIFT)) >>> 0);
    },
  );
}

function driverCounters(statistics: QmStatistics): Record<string, SysfsFile> {
  const counter = (name: keyof QmStatistics): SysfsFile =>
    numberFile(
      0o644,
      () => statistics[name],
      (value) => {
        onlyZero(value);
        statistics[name] = 0;
      },
    );
  return {
    err_irq: counter('errIrq'),
    aeq_irq: counter('aeqIrq'),
    abnormal_irq: counter('abnormalIrq'),
    mb_err: counter('mbErr'),
  };
}

const zipCounters = (statistics: () => FunctionStatistics): SysfsDirectory =>
  directory({
    send_cnt: difference(() => statistics().sent),
    recv_cnt: difference(() => statistics().received),
    send_busy_cnt: difference(() => statistics().sendBusy),
    err_bd_cnt: difference(() => statistics().errorBds),
  });

/** A counter that only grows, as the difference to where 0 was written last. */
function difference(live: () => number): SysfsFile {
  let zero = 0;
  return numberFile(
    0o644,
    () => live() - zero,
    (value) => {
      onlyZero(value);
      zero = live();
    },
  );
}

function onlyZero(value: number): void {
  if (value !== 0) throw kernelError('EINVAL', `a counter takes 0 and not ${value}`, { field: 'text' });
}

function numberFile(mode: number, read: () => number, write: (value: number) => void): SysfsFile {
  return {
    kind: 'file',
    mode,
    read: () => `${read()}\n`,
    write: (text) => {
      const trimmed = text.trim();
      if (!/^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(trimmed))
        throw kernelError('EINVAL', `"${trimmed}" is not a number`, { field: 'text' });
      write(Number(trimmed));
    },
  };
}
