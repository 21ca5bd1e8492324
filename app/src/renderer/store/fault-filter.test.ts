import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FaultFilter } from './fault-filter.ts';
import { FaultLog } from './fault-log.ts';
import { faultOf } from './test-data.ts';

const fault = (seq: number, access: 'read' | 'write' = seq % 2 === 0 ? 'write' : 'read') => ({
  ...faultOf(seq),
  access,
  pasid: seq % 10,
});
const seqs = (filter: FaultFilter, log: FaultLog, position = log.position) =>
  Array.from({ length: filter.length(log, position) }, (_, i) => filter.newest(log, i, position)?.seq);

describe('FaultFilter', () => {
  it('finds by field, newest first, also what came after it was set', () => {
    const log = new FaultLog(100);
    for (let seq = 1; seq <= 6; seq++) log.add(fault(seq));
    const filter = new FaultFilter();
    filter.set('access:write -seq:4');
    assert.deepEqual(seqs(filter, log), [6, 2]);
    log.add(fault(7));
    log.add(fault(8));
    assert.deepEqual(seqs(filter, log), [8, 6, 2]);
    filter.set('');
    assert.equal(filter.length(log, log.position), 8);
  });

  it('takes a PASID whole: 1 is not 11', () => {
    const log = new FaultLog(100);
    for (const pasid of [1, 11]) log.add({ ...faultOf(pasid), pasid });
    const filter = new FaultFilter();
    filter.set('pasid:1');
    assert.deepEqual(seqs(filter, log), [1]);
  });

  it('forgets what the ring has dropped, and shows a paused page its moment', () => {
    const log = new FaultLog(10);
    const filter = new FaultFilter();
    filter.set('access:write');
    for (let seq = 1; seq <= 25; seq++) log.add(fault(seq));
    assert.deepEqual(seqs(filter, log), [24, 22, 20, 18, 16]);
    const paused = log.position;
    for (let seq = 26; seq <= 28; seq++) log.add(fault(seq));
    assert.deepEqual(seqs(filter, log, paused), [24, 22, 20]);
    assert.deepEqual(seqs(filter, log), [28, 26, 24, 22, 20]);
  });

  it('looks again when missing faults were put in', () => {
    const log = new FaultLog(100);
    const filter = new FaultFilter();
    filter.set('access:write');
    for (const seq of [1, 2, 6]) log.add(fault(seq));
    assert.deepEqual(seqs(filter, log), [6, 2]);
    log.insert([fault(3), fault(4), fault(5)]);
    assert.deepEqual(seqs(filter, log), [6, 4, 2]);
  });
});

describe('FaultLog.insert', () => {
  it('tells a gap once, fills it in order and counts it off', () => {
    const log = new FaultLog(100);
    assert.equal(log.add(fault(1)), undefined);
    assert.equal(log.add(fault(5)), 1);
    assert.equal(log.add(fault(6)), undefined);
    assert.equal(log.missed, 3);
    log.insert([fault(2), fault(3), fault(4), fault(5)]);
    assert.equal(log.missed, 0);
    assert.deepEqual(
      Array.from({ length: log.length }, (_, i) => log.newest(i)?.seq),
      [6, 5, 4, 3, 2, 1],
    );
  });
});
