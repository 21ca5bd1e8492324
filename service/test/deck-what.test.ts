/** Deck, "What is WarpDrive": rows A1–A6 of warpdrive.md section 2.1. Each title begins with its row. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { QueueMode, QueueSnapshot } from '../../shared/src/telemetry.ts';
import { ZipQueue } from '../src/driver/zip/zip-queue.ts';
import { AddressSpace } from '../src/kernel/iommu/address-space.ts';
import { UACCE } from '../src/kernel/uacce/numbers.ts';
import { VFIO, VFIO_TYPE } from '../src/kernel/vfio/numbers.ts';
import { VfioDevice } from '../src/kernel/vfio/vfio-device.ts';
import { ADMIN_TOKEN } from './http-service.ts';
import { runChild, runTogether, startChild } from './support/attach-children.ts';
import { insideOf, until, withHost, withService } from './support/attach-host.ts';
import { withCode } from './support/errors.ts';

const PARENT = 'devices/pci0000:75/0000:75:00.0';
const TYPE = `${PARENT}/mdev_supported_types/hisi_zip-zip`;
const UUID = '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001';
/** The same place in every process that asks for it. */
const SHARED_ADDRESS = 0x2000_0000_0000;

/** V8's, when it collects young objects: they come with allocations, not with requests. */
const HEAP_CALLS = new Set(['getpid', 'madvise', 'mmap', 'munmap', 'mprotect', 'brk']);

describe('what WarpDrive is', () => {
  it('A1 submits by stores and completes by loads: 100 polled requests, no message, no read or write', async () => {
    await withHost({}, async ({ path }) => {
      const { best } = await runChild('poll', { path, jobs: 50_000, stopsEarly: true });
      assert.deepEqual(best, { frames: 0, calls: 0 });
    });
  });

  it('A1 makes no system call per polled request', async (t) => {
    if (spawnSync('strace', ['-V']).status !== 0) {
      t.diagnostic('strace is not here: reads and writes were counted by /proc/self/io in the test above');
      return;
    }
    const jobs = 3000;
    await withHost({}, async ({ path }) => {
      const child = startChild('poll', { path, jobs, stopsEarly: false });
      await child.ready;
      const trace = spawn('strace', ['-c', '-U', 'calls,name', '-p', String(child.pid)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const report = await untilTracing(trace);
      child.go();
      const { done, frames } = await child.result;
      assert.equal(done, jobs);
      const calls = callsOf(await report());
      // futex is the nap of a request that takes longer than 0.1 ms, so that the engine gets the core
      const naps = calls.get('futex') ?? 0;
      const others = [...calls].filter(([name]) => name !== 'futex' && !HEAP_CALLS.has(name));
      const total = others.reduce((sum, [, count]) => sum + count, 0);
      t.diagnostic(`${jobs} requests: ${total} system calls, ${frames} of them kicks, and ${naps} naps`);
      const named = others.map(([name, count]) => `${name} ${count}`).join(', ');
      assert.ok(total <= jobs / 5 + 3 * frames, `${total} system calls: ${named}`);
    });
  });

  it('A1 waits for a completion with one message from the service', async () => {
    await withHost({}, async ({ path }) => {
      const jobs = 300;
      const seen = await runChild('wait', { path, jobs });
      assert.equal(seen.done, jobs);
      assert.ok(
        seen.frames <= 2 * jobs,
        `${seen.frames} frames: an interrupt, and a kick if the device slept`,
      );
    });
  });

  it('A2 shows the whole mdev tree and opens a device by UUID after the VFIO handshake', async () => {
    await withService({}, async ({ host }, api) => {
      const token = ADMIN_TOKEN;
      const created = await api.send('POST', '/v1/mdevs', {
        token,
        body: { uuid: UUID, type: 'hisi_zip-zip' },
      });
      assert.equal(created.status, 201);
      const entries = async (path: string) =>
        ((await api.get(`/v1/sysfs/${path}`))['entries'] as { name: string; mode: number }[]).map(
          ({ name, mode }) => `${name} ${mode.toString(8)}`,
        );
      assert.deepEqual((await entries(TYPE)).sort(), [
        'available_instances 444',
        'create 200',
        'description 444',
        'device_api 444',
        'devices 755',
        'flags 444',
        'name 444',
      ]);
      assert.ok((await entries(`${TYPE}/devices`)).includes(`${UUID} 777`));
      assert.ok((await entries('bus/mdev/devices')).includes(`${UUID} 777`));
      assert.deepEqual(await entries('class/mdev_bus'), ['0000:75:00.0 777']);
      assert.ok((await entries(`${PARENT}/${UUID}`)).includes('remove 200'));
      const group = Number(created.body['iommuGroup']);
      assert.deepEqual(await entries(`kernel/iommu_groups/${group}/devices`), [`${UUID} 777`]);

      const task = host.kernel.createTask(stockUser());
      const container = host.kernel.vfio.openContainer(task);
      const vfioGroup = host.kernel.vfio.openGroup(task, group);
      assert.equal(container.ioctl(VFIO.GET_API_VERSION), 0);
      assert.equal(container.ioctl(VFIO.CHECK_EXTENSION, VFIO_TYPE.type1), 1);
      assert.deepEqual(vfioGroup.ioctl(VFIO.GROUP_GET_STATUS, { argsz: 8 }), { argsz: 8, flags: 1 });
      assert.equal(vfioGroup.ioctl(VFIO.GROUP_SET_CONTAINER, container), 0);
      assert.equal(container.ioctl(VFIO.SET_IOMMU, VFIO_TYPE.type1), 0);
      assert.ok(vfioGroup.ioctl(VFIO.GROUP_GET_DEVICE_FD, UUID) instanceof VfioDevice);
      task.exit();
    });
  });

  it('A3a counts queues in available_instances, and one opener of an mdev keeps others out', async () => {
    await withService({}, async ({ host, path }, api) => {
      const free = async () => Number(await api.sysfs(`class/uacce/hisi_zip-0/available_instances`));
      const before = await free();
      const child = startChild('compress', { path, jobs: 1, bytes: 1000, seed: 1 });
      await child.ready;
      assert.equal(await free(), before - 1);
      child.go();
      await child.result;
      await until(() => insideOf(host).parent.queuesFree === before, 'the queue is back');

      const mdev = host.kernel.createMdev({ type: 'hisi_zip-zip', uuid: UUID }, true);
      const [first, second] = [host.kernel.createTask(stockUser()), host.kernel.createTask(stockUser())];
      host.kernel.vfio.openGroup(first, mdev.iommuGroup ?? -1);
      assert.throws(() => host.kernel.vfio.openGroup(second, mdev.iommuGroup ?? -1), withCode('WD_E_EBUSY'));
      first.exit();
      host.kernel.vfio.openGroup(second, mdev.iommuGroup ?? -1);
      second.exit();
    });
  });

  it('A3a refuses the queue after the last with EBUSY', async () => {
    await withHost({}, async ({ host, path }) => {
      const free = insideOf(host).parent.queuesFree;
      const seen = await runChild('takeAll', { path });
      assert.deepEqual(seen, { taken: free, error: 'WD_E_NO_QUEUE EBUSY' });
      await until(() => insideOf(host).parent.queuesFree === free, 'all queues are back');
    });
  });

  it('A3b serves queues of priority 0, 1 and 3 as 1 : 2 : 4 when one engine core is saturated', async () => {
    await withHost({ cores: 1, inlineBytes: 1024 }, async ({ host }) => {
      const bytes = 32 * 1024;
      const owner = { pid: process.pid, name: 'priorities' };
      const user = host.kernel.attach({ mode: 'vfio', owner });
      // root's part: two more mdevs than the service took
      for (let i = 0; i < 3; i++) host.kernel.createMdev({ type: 'hisi_zip-zip' }, true);
      const queues = [0, 1, 3].map((priority) => user.openQueue({ operation: 'compress', priority }));
      for (const queue of queues) queue.start();
      const text = Buffer.from('"level":"info","message":"queue opened",'.repeat(1000)).subarray(0, bytes);
      const done = [0, 0, 0];
      const each = 700;
      const lanes = queues.map((queue, lane) => {
        const source = user.allocate(bytes);
        source.bytes.set(text);
        const destination = user.allocate(2 * bytes);
        const zip = new ZipQueue(queue);
        for (let i = 0; i < each; i++)
          zip.trySubmit(
            {
              format: 'deflate',
              level: 1,
              source: source.address,
              sourceBytes: bytes,
              destination: destination.address,
              destinationBytes: 2 * bytes,
              isFinal: true,
            },
            ({ outcome }) => {
              assert.equal(outcome, 'ok');
              done[lane] = (done[lane] ?? 0) + 1;
            },
          );
        return zip;
      });
      const [one, two, four] = await saturated(lanes, done, 700);
      assert.ok(four < each, 'no queue ran empty');
      for (const [share, wanted] of [
        [two / one, 2],
        [four / one, 4],
        [four / two, 2],
      ] as const)
        assert.ok(
          Math.abs(share - wanted) <= wanted * 0.1,
          `${one} : ${two} : ${four} jobs of ${bytes} bytes`,
        );
      await saturated(lanes, done, 3 * each); // the engine is idle again
      user.close();
    });
  });

  it('A3b shows the priority that a process gave its queue, and refuses one beyond 15', async () => {
    await withService({}, async ({ path }, api) => {
      const child = startChild('compress', { path, jobs: 1, bytes: 100, seed: 1, priority: 9 });
      await child.ready;
      const queue = (await queuesOf(api)).find(({ owner }) => owner.pid === child.pid);
      assert.equal(queue?.priority, 9);
      child.go();
      await child.result;
      const refused = runChild('compress', { path, jobs: 1, bytes: 100, seed: 1, priority: 16 });
      await assert.rejects(refused, withCode('WD_E_EINVAL'));
    });
  });

  it('A3b takes the priority before the queue starts and not afterwards', async () => {
    await withHost({}, async ({ host }) => {
      const task = host.kernel.createTask({ ...stockUser(), mode: 'sva' });
      const file = host.kernel.uacce.open(task);
      file.ioctl(UACCE.QM_SET_QP_PRIORITY, { priority: 7 });
      assert.equal(host.view.queues().find(({ qpId }) => qpId === file.queue.qpId)?.priority, 7);
      assert.throws(() => file.ioctl(UACCE.QM_SET_QP_PRIORITY, { priority: 16 }), withCode('WD_E_EINVAL'));
      file.ioctl(UACCE.START_Q);
      assert.throws(() => file.ioctl(UACCE.QM_SET_QP_PRIORITY, { priority: 3 }), withCode('WD_E_EINVAL'));
      assert.equal(file.queue.priority, 7);
      task.exit();
    });
  });

  it('A4 takes a pointer of an ordinary Buffer as DMA address, without a map call, in several processes', async () => {
    await withHost({}, async ({ path }) => {
      const seen = await runTogether(
        [10, 20, 30].map((seed) => startChild('compress', { path, jobs: 60, bytes: 20_000, seed })),
      );
      assert.deepEqual(
        seen.map(({ right }) => right),
        [60, 60, 60],
      );
      // a map call would be a frame per Buffer and its answer, 240 in all; what is left is a kick now and then
      for (const { frames } of seen) assert.ok(frames < 120, `${frames} frames for 120 Buffers`);
    });
  });

  it('A4 compresses a Buffer.from(…) through the package entry, without a copy in the library', async () => {
    await withHost({}, async ({ path }) => {
      const { outcome, isRight, isUncopied, frames } = await runChild('gzipByPackageName', { path });
      assert.deepEqual({ outcome, isRight, isUncopied }, { outcome: 'ok', isRight: true, isUncopied: true });
      assert.ok(frames <= 3, `${frames} frames: at most two kicks and the interrupt`);
    });
  });

  it('A5 gives two processes that use one virtual address at once their own data, a thousand times', async () => {
    await withHost({}, async ({ path }) => {
      const seen = await runTogether(
        [100_000, 900_000].map((seed) =>
          startChild('sameAddress', { path, address: SHARED_ADDRESS, jobs: 1000, seed }),
        ),
      );
      assert.deepEqual(
        seen.map(({ address, right }) => [address, right]),
        [
          [SHARED_ADDRESS, 1000],
          [SHARED_ADDRESS, 1000],
        ],
      );
      assertOverlap(seen);
    });
  });

  it('A5 gives two processes that use one IOVA at once their own data, a thousand times', async () => {
    await withHost({}, async ({ path }) => {
      const seen = await runTogether(
        [100_000, 900_000].map((seed) =>
          startChild('sameIova', { path, iova: 0x1000_0000, jobs: 1000, seed }),
        ),
      );
      assert.deepEqual(
        seen.map(({ right }) => right),
        [1000, 1000],
      );
      assertOverlap(seen);
    });
  });

  for (const mode of ['sva', 'vfio', 'noiommu', 'native'] as const satisfies QueueMode[])
    it(`A6 runs in mode ${mode}, and says so`, async () => {
      await withService({ mode }, async (_attach, api) => {
        assert.equal((await api.get('/v1/status'))['mode'], mode);
        const queues = await queuesOf(api);
        assert.ok(queues.length > 0 && queues.every((queue) => queue.mode === mode));
        const response = await fetch(`${api.url}/v1/decompress?format=gzip`, {
          method: 'POST',
          body: gzipSync(`in mode ${mode}`),
        });
        assert.equal(await response.text(), `in mode ${mode}`);
      });
    });

  it('A6 offers processes sva and vfio beside native queues, and noiommu to the administrator alone', async () => {
    await withHost({ nativeQueues: 8 }, async ({ path }) => {
      for (const mode of ['sva', 'vfio'] as const)
        assert.equal((await runChild('compress', { path, mode, jobs: 3, bytes: 5000, seed: 1 })).right, 3);
      const off = runChild('compress', {
        path,
        mode: 'noiommu',
        token: ADMIN_TOKEN,
        jobs: 1,
        bytes: 10,
        seed: 1,
      });
      await assert.rejects(off, withCode('WD_E_EINVAL'), 'the IOMMU is on');
    });
    await withHost({ mode: 'noiommu' }, async ({ path }) => {
      const job = { path, mode: 'noiommu', jobs: 3, bytes: 5000, seed: 1 } as const;
      await assert.rejects(runChild('compress', job), withCode('WD_E_EPERM'));
      assert.equal((await runChild('compress', { ...job, token: ADMIN_TOKEN })).right, 3);
      const sva = runChild('compress', { path, jobs: 1, bytes: 10, seed: 1 });
      await assert.rejects(sva, withCode('WD_E_EINVAL'), 'there is no IOMMU');
    });
  });

  it('A6 reports by attributes what each mode means to libwd', async () => {
    const said: unknown[] = [];
    for (const options of [
      { mode: 'sva' },
      { mode: 'sva', faultModel: 'none' },
      { mode: 'noiommu' },
    ] as const)
      await withService(options, async (_attach, api) => {
        const uacce = 'class/uacce/hisi_zip-0';
        said.push([
          await api.sysfs(`${PARENT}/params/iommu_type`),
          await api.sysfs(`${PARENT}/params/dma_flag`),
          await api.sysfs(`${uacce}/flags`),
          await api.sysfs(`${uacce}/api`),
        ]);
      });
    assert.deepEqual(said, [
      ['1', '6', '1', 'hisi_qm_v3'], // SVM + MULTI_PROC_MAP
      ['1', '10', '0', 'hisi_qm_v3'], // SVM_NO_FAULT + MULTI_PROC_MAP
      ['8', '16', '0', 'hisi_qm_v3_noiommu'], // PHY
    ]);
  });
});

const stockUser = () => ({
  owner: { pid: process.pid, name: 'stock VFIO user' },
  mode: 'vfio' as const,
  isAdmin: false,
  mm: new AddressSpace('sva'),
  resolve: () => undefined,
});

async function queuesOf(api: {
  get(path: string): Promise<Record<string, unknown>>;
}): Promise<QueueSnapshot[]> {
  return (await api.get('/v1/queues'))['queues'] as QueueSnapshot[];
}

function assertOverlap(spans: readonly { startedMs: number; endedMs: number }[]): void {
  const start = Math.max(...spans.map(({ startedMs }) => startedMs));
  const end = Math.min(...spans.map(({ endedMs }) => endedMs));
  assert.ok(start < end, 'the processes worked at the same time');
}

/** Polls the queues until `jobs` are complete in all. @returns the completions a queue */
async function saturated(lanes: readonly ZipQueue[], done: readonly number[], jobs: number) {
  await until(() => {
    for (const lane of lanes) lane.poll();
    return done.reduce((sum, count) => sum + count, 0) >= jobs;
  }, `${jobs} jobs`);
  const [one = 0, two = 0, four = 0] = done;
  return [one, two, four] as const;
}

/** Resolves when strace says that it is attached. @returns a function that ends the trace and gives its report */
async function untilTracing(trace: ChildProcess): Promise<() => Promise<string>> {
  let text = '';
  trace.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = once(trace, 'close');
  await until(() => text.includes('attached') || trace.exitCode !== null, 'strace attached');
  return async () => {
    trace.kill('SIGINT');
    await ended;
    return text;
  };
}

/** Calls by name of strace's `-c -U calls,name` report. */
function callsOf(report: string): Map<string, number> {
  const calls = new Map<string, number>();
  for (const [, count, name] of report.matchAll(/^\s*(\d+)\s+([a-z]\w+)\s*$/gm))
    if (name !== 'total') calls.set(name ?? '', Number(count));
  return calls;
}
