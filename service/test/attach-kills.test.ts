/** Row C3 of warpdrive.md section 2.3: what a process leaves behind when it is killed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LingerState } from './support/attach-child.ts';
import { runChild, startChild } from './support/attach-children.ts';
import { footprint, insideOf, until, withHost } from './support/attach-host.ts';

/** The whole demand is a thousand; a normal run takes less, so that `npm test` stays short. */
const KILLS = Number(process.env['WARPDRIVE_KILLS'] ?? 200);
/** Processes alive at once. */
const LANES = 4;
/** A tenth of the processes is killed before it can say that it is set up. */
const EARLY_SHARE = 0.1;
const EARLY_MS = 150;
const LATE_MS = 6;
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
        await runChild('compress', { path, mode, jobs: 1, bytes: 100, seed: 1 }); // libraries are loaded now
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
      await runChild('compress', { path, mode: 'vfio', jobs: 1, bytes: 100, seed: 1 });
      await idle(host);
      const before = footprint(host);
      const letGo = insideOf(host).iommu.holdPageRequests();
      let started = 0;
      let early = 0;
      const lane = async (): Promise<void> => {
        while (started < KILLS) {
          const kind = KINDS[started++ % KINDS.length];
          assert.ok(kind);
          const child = startChild('linger', { path, ...kind });
          const isEarly = random() < EARLY_SHARE;
          if (isEarly) early++;
          else await child.ready;
          await new Promise((next) => setTimeout(next, random() * (isEarly ? EARLY_MS : LATE_MS)));
          await child.kill();
        }
      };
      const neighbour = neighbourly(path, () => started < KILLS);
      await Promise.all(Array.from({ length: LANES }, lane));
      letGo();
      const { rounds, right } = await neighbour;
      assert.equal(right, rounds);
      await backTo(host, before);
      t.diagnostic(`${KILLS} kills, ${early} before the process was set up; ${rounds} jobs of the neighbour`);
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
      return insideOf(host).iommu.stalls().length > 0;
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
