/** Row H1 of warpdrive.md section 2.8, containment: what one process does wrong stays its own trouble. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZipQueue } from '../src/driver/zip/zip-queue.ts';
import { ADMIN_TOKEN } from './http-service.ts';
import { runChild, startChild } from './support/attach-children.ts';
import { until, withHost, withService } from './support/attach-host.ts';

const BASE = 0x2000_0000_0000;

describe('containment', () => {
  it('H1 ends every malformed SQE with a named status and changes no byte of a process at the same address', async (t) => {
    const seed = Number(process.env['WARPDRIVE_SEED'] ?? Date.now() % 1e9);
    t.diagnostic(`WARPDRIVE_SEED=${seed}`);
    await withHost({ cores: 1 }, async ({ path }) => {
      const neighbour = startChild('canary', { path, base: BASE, seed });
      await neighbour.ready;
      const rounds = 1500;
      const seen = await runChild('malformed', { path, base: BASE, seed, rounds });
      neighbour.go();
      assert.deepEqual(seen.unnamed, []);
      assert.equal(seen.jobs, 32 * 7 + rounds + 1);
      assert.equal(seen.lastStatus, 0, 'a good SQE works afterwards');
      assert.ok(
        (seen.statuses[0x41] ?? 0) > 0 && (seen.statuses[0x02] ?? 0) > 0,
        JSON.stringify(seen.statuses),
      );
      const { changed, wrong, right } = await neighbour.result;
      assert.deepEqual({ changed, wrong }, { changed: 0, wrong: 0 });
      assert.ok(right > 0);
    });
  });

  it('H1 lets a process change the size of no memory that the service has mapped', async () => {
    await withHost({}, async ({ path }) => {
      const { outcomes, bytes } = await runChild('truncate', { path });
      assert.deepEqual(outcomes, Array(6).fill('EPERM'));
      assert.deepEqual(bytes, [0, 0]);
      assert.equal((await runChild('compress', { path, jobs: 5, bytes: 3000, seed: 3 })).right, 5);
    });
  });

  it('H1 shrugs at doorbells that say nonsense', async () => {
    await withHost({}, async ({ path }) => {
      const neighbour = startChild('compress', { path, jobs: 100, bytes: 3000, seed: 2 });
      await neighbour.ready;
      const nonsense = startChild('badDoorbells', { path, seed: 7 });
      await nonsense.ready;
      nonsense.go();
      neighbour.go();
      await nonsense.result;
      assert.equal((await neighbour.result).right, 100);
      assert.equal((await runChild('compress', { path, jobs: 5, bytes: 3000, seed: 3 })).right, 5);
    });
  });

  it('H1 costs the neighbour of a flooding queue at most its fair share of the engine', async () => {
    await withHost({ cores: 1, inlineBytes: 1024 }, async ({ host }) => {
      const bytes = 32 * 1024;
      for (let i = 0; i < 2; i++) host.kernel.createMdev({ type: 'hisi_zip-zip' }, true);
      const done = [0, 0];
      const lanes = [1000, 400].map((jobs, lane) => {
        const user = host.kernel.attach({ mode: 'vfio', owner: { pid: process.pid, name: `lane ${lane}` } });
        const queue = user.openQueue({ operation: 'compress', priority: 0 });
        queue.start();
        const [source, destination] = [user.allocate(bytes), user.allocate(2 * bytes)];
        const zip = new ZipQueue(queue);
        const request = {
          format: 'deflate',
          level: 1,
          source: source.address,
          sourceBytes: bytes,
          destination: destination.address,
          destinationBytes: 2 * bytes,
          isFinal: true,
        } as const;
        for (let i = 0; i < jobs; i++) zip.trySubmit(request, () => (done[lane] = (done[lane] ?? 0) + 1));
        return zip;
      });
      // the last look at which both still waited: behind it the flood has the engine for itself
      let shares = [0, 0];
      for (const giveUpAt = Date.now() + 60_000; done[1] !== 400; ) {
        assert.ok(Date.now() < giveUpAt, 'the neighbour is served');
        shares = [...done];
        await new Promise((next) => setImmediate(next));
        for (const lane of lanes) lane.poll();
      }
      await until(() => {
        for (const lane of lanes) lane.poll();
        return done[0] === 1000;
      }, 'the flood is served too');
      const [flood = 0, neighbour = 0] = shares;
      assert.ok(neighbour > 200, `${neighbour} jobs of the neighbour seen in time`);
      assert.ok(flood <= neighbour * 1.2, `${flood} jobs of the flood while the neighbour had ${neighbour}`);
    });
  });

  for (const isSync of [true, false])
    it(`H1 reports a queue reset as retryable and reopens by itself (${isSync ? 'polling' : 'waiting'})`, async () => {
      await withHost({}, async ({ host, path }) => {
        const child = startChild('survive', { path, resets: 3, isSync });
        child.go();
        await child.ready;
        const ended = child.result.then(() => true);
        let isEnded = false;
        void ended.then(() => (isEnded = true));
        let isFirst = true;
        await until(() => {
          const queue = host.view
            .queues()
            .find(({ owner, state }) => owner.pid === child.pid && state === 'started');
          // a reset each time the process has worked with its new queue
          if (queue && (queue.operations > 5 || isFirst)) {
            isFirst = false;
            host.kernel.resetQueue(queue.id);
          }
          return isEnded;
        }, 'the process saw three resets and worked on');
        const seen = await child.result;
        assert.deepEqual([seen.codes, seen.wrong], [['WD_E_DEVICE_RESET'], 0]);
        assert.ok(seen.resets >= 3 && seen.since >= 20, JSON.stringify(seen));
      });
    });

  it('H1 reports a controller reset to every process; all work on', async () => {
    await withHost({}, async ({ host, path }) => {
      const children = [true, false, true].map((isSync) =>
        startChild('survive', { path, resets: 1, isSync }),
      );
      for (const child of children) child.go();
      await Promise.all(children.map(({ ready }) => ready));
      host.kernel.hardwareError();
      for (const { result } of children) {
        const { resets, wrong, since, codes } = await result;
        assert.deepEqual([resets, wrong, since >= 20, codes], [1, 0, true, ['WD_E_DEVICE_RESET']]);
      }
    });
  });

  it('H1 names the errno of what a process may not ask', async () => {
    await withService({}, async ({ host, path }, api) => {
      const victim = startChild('compress', { path, jobs: 20, bytes: 2000, seed: 4 });
      await victim.ready;
      const otherQueue = host.view.queues().find(({ owner }) => owner.pid === victim.pid)?.qpId ?? -1;
      const said = await runChild('refusals', { path, otherQueue });
      assert.deepEqual(said, {
        priority16: 'WD_E_EINVAL EINVAL',
        priority255: 'WD_E_EINVAL EINVAL',
        operation2: 'WD_E_EINVAL EINVAL',
        modeUnknown: 'WD_E_EINVAL 22',
        noiommu: 'WD_E_EPERM EPERM',
        noiommuWrongToken: 'WD_E_EPERM EPERM',
        startOther: 'WD_E_EINVAL EINVAL',
        closeOther: 'WD_E_EINVAL EINVAL',
        startUnknown: 'WD_E_EINVAL EINVAL',
        mapInSva: 'WD_E_EINVAL EINVAL',
        unknownOpcode: 'WD_E_ENOTTY ENOTTY',
        shortPayload: 'WD_E_EINVAL EINVAL',
        attachTwice: 'WD_E_EBUSY EBUSY',
        nobodyListens: 'WD_E_ENODEV',
      });
      victim.go();
      assert.equal((await victim.result).right, 20, "another process's queue was not touched");
      for (const uuid of ['', 'no-uuid', '83b8f4f2-509f-382f-3c1e-e6bfe0fa10011'])
        assert.equal(
          (await api.send('POST', '/v1/mdevs', { body: { uuid, type: 'hisi_zip-zip' }, token: ADMIN_TOKEN }))
            .body['errno'],
          'EINVAL',
        );
    });
  });

  it('H1 names the errno of mappings that are refused', async () => {
    await withHost({}, async ({ path }) => {
      assert.deepEqual(await runChild('mapRefusals', { path }), {
        oddAddress: 'WD_E_EINVAL EINVAL',
        oddIova: 'WD_E_EINVAL EINVAL',
        oddBytes: 'WD_E_EINVAL EINVAL',
        noBytes: 'WD_E_EINVAL EINVAL',
        noRight: 'WD_E_EINVAL EINVAL',
        good: 'no error',
        overlap: 'WD_E_EEXIST EEXIST',
        beyond: 'WD_E_EINVAL EINVAL',
        cut: 'WD_E_EINVAL EINVAL',
        notMapped: 'WD_E_EFAULT EFAULT',
      });
    });
  });

  it('H1 knows a peer by SO_PEERCRED, whatever it calls itself', async () => {
    await withService({}, async ({ path }, api) => {
      const child = startChild('linger', { path, state: 'idle', name: `pid ${process.pid}` });
      await child.ready;
      const queues = (await api.get('/v1/queues'))['queues'] as { owner: { pid: number; name: string } }[];
      const mine = queues.find(({ owner }) => owner.name === `pid ${process.pid}`);
      assert.equal(mine?.owner.pid, child.pid);
      await child.kill();
    });
  });
});
