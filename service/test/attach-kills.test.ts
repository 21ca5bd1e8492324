/** Row C3 of warpdrive.md section 2.3: what a process leaves behind when it is killed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LingerState } from './support/attach-child/work.ts';
import { runChild, startChild } from './support/attach-children.ts';
import { footprint, insideOf, until, withHost } from './support/attach-host.ts';

/** At random moments. WARPDRIVE_KILLS=1000 asks for the whole demand, which takes minutes: each is a new Node process. */
const KILLS = Number(process.env['WARPDRIVE_KILLS'] ?? 200);
/** Processes alive at once. */
const LANES = 4;
/** A fifth of the processes is killed somewhere on its way. */
const EARLY_SHARE = 0.2;
const EARLY_MS = 400;
const LATE_MS = 4;
const KINDS: readonly { mode: 'sva' | 'vfio'; state: LingerState }[] = [
  { mode: 'sva', state: 'idle' },
  { mode: 'vfio', state: 'mapped' },
  { mode: 'sva', state: 'jobs' },
  { mode: 'sva', state: 'stalled' },
];

describe('processes that are killed', () => {
  for (const { mode, state } of KINDS)
    it(`C3 takes everything back from a ${mode} process that is killed while it is ${state}`, async () => {
      await withHost({ cores: 1 }, async ({ host, path }) => {
        await runChild('compress', { path, mode, jobs: 1, bytes: 100_000, seed: 1 }); // libraries are loaded, engine cores run
        await idle(host);
        const before = footprint(host);
        const letGo = state === 'stalled' ? insideOf(host).iommu.holdPageRequests() : undefined;
        const child = startChild('linger', { path, mode, state });
        await child.ready;
        await until(() => isIn(state, host, child.pid), `the process is ${state}`);
        assert.notDeepEqual(footprint(host), before);
        await child.kill();
        await backTo(host, before);
        letGo?.();
      });
    });

  it(`C3 is left with nothing after ${KILLS} kills at random moments, and a neighbour notices nothing`, async (t) => {
    const seed = Number(process.env['WARPDRIVE_SEED'] ?? Date.now() % 1e9);
    t.diagnostic(`WARPDRIVE_SEED=${seed} WARPDRIVE_KILLS=${KILLS}`);
    const random = mulberry32(seed);
    await withHost({ cores: 1 }, async ({ host, path }) => {
      await runChild('compress', { path, mode: 'vfio', jobs: 1, bytes: 100_000, seed: 1 });
      await idle(host);
      const before = footprint(host);
      const letGo = insideOf(host).iommu.holdPageRequests();
      let started = 0;
      const killed = { onTheWay: 0, idle: 0, mapped: 0, jobs: 0, stalled: 0 };
      const lane = async (): Promise<void> => {
        while (started < KILLS) {
          const kind = KINDS[started++ % KINDS.length];
          assert.ok(kind);
          const child = startChild('linger', { path, ...kind });
          const isEarly = random() < EARLY_SHARE;
          if (!isEarly) await child.ready;
          await new Promise((next) => setTimeout(next, random() * (isEarly ? EARLY_MS : LATE_MS)));
          const isSetUp = isIn(kind.state, host, child.pid);
          await child.kill();
          killed[isSetUp ? kind.state : 'onTheWay']++;
        }
      };
      const neighbour = neighbourly(path, () => started < KILLS);
      await Promise.all(Array.from({ length: LANES }, lane));
      letGo();
      const { rounds, right } = await neighbour;
      assert.equal(right, rounds);
      await backTo(host, before);
      assert.equal(
        Object.values(killed).reduce((sum, count) => sum + count, 0),
        KILLS,
      );
      t.diagnostic(`killed: ${JSON.stringify(killed)}; ${rounds} jobs of the neighbour`);
    });
  });
});

type Host = Parameters<typeof footprint>[0];

/** Jobs of another process, all the time: its pages are touched first, so that it never waits for one. */
async function neighbourly(path: string, isGoing: () => boolean): Promise<{ rounds: number; right: number }> {
  const sum = { rounds: 0, right: 0 };
  while (isGoing()) {
    const { right } = await runChild('compress', {
      path,
      mode: 'vfio',
      jobs: 300,
      bytes: 2000,
      seed: sum.rounds,
    });
    sum.rounds += 300;
    sum.right += right;
  }
  return sum;
}

async function idle(host: Host): Promise<void> {
  const { memory } = insideOf(host);
  await until(() => memory.windowCount === 0, 'nobody is attached');
}

async function backTo(host: Host, before: ReturnType<typeof footprint>): Promise<void> {
  await until(
    () => JSON.stringify(footprint(host)) === JSON.stringify(before),
    'nothing is left',
    5000,
  ).catch(() => {});
  assert.deepEqual(footprint(host), before);
}

function isIn(state: LingerState, host: Host, pid: number): boolean {
  const queue = host.view.queues().find(({ owner }) => owner.pid === pid);
  switch (state) {
    case 'idle':
    case 'mapped':
      return queue?.state === 'started';
    case 'jobs':
      return (queue?.inFlight ?? 0) > 0;
    case 'stalled':
      return queue?.inFlight === 1;
  }
}

/** Numbers from 0 to 1 that the seed decides. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
