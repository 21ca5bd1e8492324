import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FaultLog } from './fault-log.ts';
import { faultOf } from './test-data.ts';

describe('FaultLog', () => {
  it('gives the newest first and forgets the oldest', () => {
    const log = new FaultLog(3);
    for (let seq = 1; seq <= 5; seq++) log.add(faultOf(seq));
    assert.equal(log.length, 3);
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => log.newest(index)?.seq),
      [5, 4, 3, undefined],
    );
  });

  it('holds a fault once, however often the feed repeats it', () => {
    const log = new FaultLog(10);
    for (const seq of [1, 2, 1, 2, 3]) log.add(faultOf(seq));
    assert.equal(log.length, 3);
  });

  it('counts the faults that never arrived', () => {
    const log = new FaultLog(10);
    for (const seq of [4, 5, 9]) log.add(faultOf(seq));
    assert.equal(log.missed, 3);
  });

  it('still shows what it showed at an earlier position', () => {
    const log = new FaultLog(10);
    log.add(faultOf(1));
    const { position } = log;
    log.add(faultOf(2));
    assert.equal(log.newest(0, position)?.seq, 1);
    assert.equal(log.newest(1, position), undefined);
  });

  it('counts the recent ones up to its limit', () => {
    const log = new FaultLog(10);
    for (let seq = 1; seq <= 6; seq++) log.add(faultOf(seq, seq * 100));
    assert.equal(log.countBetween(400, 600), 3);
    assert.equal(log.countBetween(0, 600, 4), 4);
    assert.equal(log.countBetween(0, 600), 6);
    assert.equal(log.countBetween(300, 500), 3); // a paused page: later ones are not of its moment
  });
});
