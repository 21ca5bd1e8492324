import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Alarm } from './alarm.ts';
import { type AlarmInputs, type AlarmRule, DEFAULT_RULES } from './rules.ts';

const rule: AlarmRule = {
  id: 'r',
  title: 'R',
  advice: '',
  input: 'busyPerSec',
  when: 'above',
  threshold: 100,
  clear: 10,
  forMs: 1_000,
  scale: 1,
  unit: '/s',
  isOn: true,
};
const inputs = (busyPerSec: number) => ({ busyPerSec }) as AlarmInputs;
const stateAfter = (alarm: Alarm, steps: [number, number][]) =>
  steps.map(([value, atMs]) => {
    alarm.look(inputs(value), atMs);
    return alarm.state;
  });

describe('Alarm', () => {
  it('fires only after the value stayed over the threshold, and ends only past the lower one', () => {
    const alarm = new Alarm(rule);
    assert.deepEqual(
      stateAfter(alarm, [
        [500, 0],
        [50, 500],
        [500, 600],
        [500, 1_700],
        [50, 2_000],
        [10, 2_100],
        [50, 2_200],
      ]),
      ['pending', 'quiet', 'pending', 'firing', 'firing', 'quiet', 'quiet'],
    );
  });

  it('tells each change once', () => {
    const alarm = new Alarm({ ...rule, forMs: 0 });
    const changes = [200, 200, 0, 0].map((value, i) => alarm.look(inputs(value), i)?.kind);
    assert.deepEqual(changes, ['fired', undefined, 'ended', undefined]);
  });

  it('is loud until someone acknowledges it, and loud again the next time', () => {
    const alarm = new Alarm({ ...rule, forMs: 0 });
    alarm.look(inputs(200), 0);
    assert.equal(alarm.isLoud(1), true);
    alarm.isAcknowledged = true;
    assert.equal(alarm.isLoud(1), false);
    alarm.look(inputs(0), 2);
    alarm.look(inputs(200), 3);
    assert.equal(alarm.isLoud(3), true);
    alarm.mutedUntilMs = 10;
    assert.deepEqual([alarm.isLoud(9), alarm.isLoud(10)], [false, true]);
  });

  it('never starts from a value that is not known, and ends with one', () => {
    for (const when of ['above', 'below'] as const) {
      const alarm = new Alarm({ ...rule, when, forMs: 0, clear: when === 'above' ? 10 : 200 });
      alarm.look(inputs(Number.NaN), 0);
      assert.equal(alarm.state, 'quiet');
      alarm.look(inputs(when === 'above' ? 1e6 : 0), 1);
      assert.equal(alarm.state, 'firing');
      alarm.look(inputs(Number.NaN), 2);
      assert.equal(alarm.state, 'quiet');
    }
  });

  it('has defaults whose lower threshold is on the quiet side', () => {
    for (const { when, threshold, clear, id } of DEFAULT_RULES)
      assert.ok(when === 'above' ? clear < threshold : clear > threshold, id);
  });
});
