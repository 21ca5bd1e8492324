import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHost, type Host } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import { withCode } from './support/errors.ts';

const ROOT = '/sys/kernel/debug/hisi_zip/0000:75:00.0';
const TEXT = Buffer.from('counted from the first byte to the last\n'.repeat(100));

async function withHost(run: (host: Host, files: Files) => Promise<void>): Promise<void> {
  const host = await createHost({ mode: 'sva', core: 'wasm', cores: 1, queues: 2 }, silentLog);
  const { sysfs } = host.view;
  assert.ok(sysfs);
  try {
    await run(host, {
      read: (path) => sysfs.read(`${ROOT}/${path}`, true),
      write: (path, text) => sysfs.write(`${ROOT}/${path}`, text, true),
      register: (path, name) => {
        const line = sysfs
          .read(`${ROOT}/${path}`, true)
          .split('\n')
          .find((candidate) => candidate.startsWith(`${name} `));
        return Number(line?.split('= ')[1]);
      },
    });
  } finally {
    await host.close();
  }
}

interface Files {
  read(path: string): string;
  write(path: string, text: string): void;
  register(path: string, name: string): number;
}

const compress = (host: Host): Promise<unknown> =>
  Promise.resolve(host.codec.compressOnce([TEXT], { format: 'gzip', level: 1 }));

describe('/sys/kernel/debug/hisi_zip (sources.md 5.15)', () => {
  it('has the files of the kernel, and one core directory for each core of the engine', async () => {
    await withHost(async (host) => {
      const names = (path: string) => host.view.sysfs?.list(`${ROOT}${path}`).map(({ name }) => name);
      assert.deepEqual(names(''), [
        'alg_qos',
        'clear_enable',
        'comp_core0',
        'comp_core1',
        'decomp_core0',
        'decomp_core1',
        'decomp_core2',
        'qm',
        'zip_dfx',
      ]);
      for (const file of [
        'regs',
        'current_q',
        'clear_enable',
        'status',
        'err_irq',
        'aeq_irq',
        'abnormal_irq',
        'mb_err',
        'create_qp_err',
        'diff_regs',
      ])
        assert.ok(names('/qm')?.includes(file), file);
      assert.deepEqual(names('/zip_dfx'), ['send_cnt', 'recv_cnt', 'send_busy_cnt', 'err_bd_cnt']);
    });
  });
  it('counts jobs for the function, for the queue that is chosen and for the core, and clears what takes a 0', async () => {
    await withHost(async (host, { read, write, register }) => {
      for (let i = 0; i < 5; i++) await compress(host);
      assert.equal(read('zip_dfx/send_cnt'), '5\n');
      assert.equal(read('zip_dfx/recv_cnt'), '5\n');
      assert.equal(read('zip_dfx/err_bd_cnt'), '0\n');
      const used = host.view.queues().find(({ operations }) => operations === 5);
      assert.ok(used);
      write('qm/current_q', `${used.qpId}\n`);
      assert.equal(register('qm/regs', 'QM_DFX_SQE_CNT'), 5);
      assert.equal(register('comp_core0/regs', 'HZIP_DONE_BD_NUM'), 5);
      assert.equal(register('comp_core0/regs', 'HZIP_COMSUMED_BYTE'), 5 * TEXT.length);
      const idle = host.view.queues().find(({ operations }) => operations === 0);
      write('qm/current_q', String(idle?.qpId));
      assert.equal(register('qm/regs', 'QM_DFX_SQE_CNT'), 0);
      assert.match(read('qm/diff_regs'), /0x00104050 = 0x00000000 ---> 0x00000005/);
      write('zip_dfx/send_cnt', '0');
      assert.equal(read('zip_dfx/send_cnt'), '0\n');
      assert.throws(() => write('zip_dfx/send_cnt', '1'), withCode('WD_E_EINVAL'));
      write('qm/clear_enable', '1');
      assert.equal(register('qm/regs', 'QM_DFX_SEND_SQE_TO_ACC_CNT'), 5);
      assert.equal(register('qm/regs', 'QM_DFX_SEND_SQE_TO_ACC_CNT'), 0);
      assert.throws(() => write('qm/clear_enable', '2'), withCode('WD_E_EINVAL'));
      assert.throws(() => write('qm/current_q', '1024'), withCode('WD_E_EINVAL'));
      assert.throws(() => write('qm/current_q', 'first'), withCode('WD_E_EINVAL'));
    });
  });
  it('shows errors by name, interrupts, refused queues and the state of the QM', async () => {
    await withHost(async (host, { read, write }) => {
      const { admin } = host.view;
      await admin?.injectFault({ kind: 'ras', severity: 'ce', error: 'qm_ecc_1bit' });
      await admin?.injectFault({ kind: 'ras', severity: 'ce' });
      await new Promise((next) => setImmediate(next));
      assert.equal(read('qm/ras'), 'qm_ecc_1bit 1\nzip_ecc_1bitt_err 1\n');
      assert.equal(read('qm/abnormal_irq'), '2\n');
      assert.equal(read('qm/status'), 'start\n');
      const process = host.kernel.attach({ mode: 'sva', owner: { pid: 1, name: 'greedy' } });
      assert.throws(
        () => process.openQueue({ operation: 'compress', priority: 0 }),
        withCode('WD_E_NO_QUEUE'),
      );
      process.close();
      assert.equal(read('qm/create_qp_err'), '1\n');
      host.view.sysfs?.write('/sys/class/uacce/hisi_zip-0/isolate_strategy', '1', true);
      await admin?.hardwareError();
      assert.equal(read('qm/status'), 'stop\n');
      assert.throws(() => write('alg_qos', '0000:75:00.0 5'), withCode('WD_E_EAGAIN'));
    });
  });
  it('takes alg_qos for its own function, and a reset keeps it', async () => {
    await withHost(async (host, { read, write }) => {
      assert.equal(read('alg_qos'), '1000\n');
      write('alg_qos', '0000:75:00.0 20\n');
      assert.equal(read('alg_qos'), '20\n');
      await host.view.admin?.hardwareError();
      assert.equal(read('alg_qos'), '20\n');
      await compress(host);
      assert.throws(() => write('alg_qos', '0000:76:00.0 5'), withCode('WD_E_EINVAL'));
      assert.throws(
        () => host.view.sysfs?.write(`${ROOT}/alg_qos`, '0000:75:00.0 5', false),
        withCode('WD_E_EACCES'),
      );
    });
  });
});
