import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { RestartPolicy } from './restart-policy.ts';

function lifeOf(policy: RestartPolicy, clock: FakeClock, ms: number) {
  policy.started();
  clock.advance(ms);
  return policy.died();
}

describe('RestartPolicy', () => {
  it('waits longer after each quick death and calls the fifth hopeless', () => {
    const clock = new FakeClock();
    const policy = new RestartPolicy(clock);
    const answers = Array.from({ length: 6 }, () => lifeOf(policy, clock, 50));
    assert.deepEqual(
      answers.map(({ delayMs }) => delayMs),
      [100, 200, 400, 800, 60_000, 60_000],
    );
    assert.deepEqual(
      answers.map(({ isHopeless }) => isHopeless),
      [false, false, false, false, true, true],
    );
  });
  it('starts anew at once after a long life, and forgives', () => {
    const clock = new FakeClock();
    const policy = new RestartPolicy(clock);
    for (let i = 0; i < 4; i++) lifeOf(policy, clock, 50);
    assert.deepEqual(lifeOf(policy, clock, 10_000), { delayMs: 0, isHopeless: false });
    assert.equal(lifeOf(policy, clock, 50).delayMs, 100);
  });
});
