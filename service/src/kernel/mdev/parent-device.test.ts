import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { streamId } from '../../../../shared/src/units.ts';
import { withCode } from '../../../test/support/errors.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { ParentDevice } from './parent-device.ts';

const TYPE = { id: 'hisi_zip-zip', name: 'ZIP queue' };
const uuid = (n: number): string => `83b8f4f2-509f-382f-3c1e-${String(n).padStart(12, '0')}`;
const parentOf = (queues: number): ParentDevice =>
  new ParentDevice('hisi_zip-0', '0000:75:00.0', streamId(0x7500), [TYPE], queues, new FakeClock());

describe('ParentDevice.create', () => {
  it('assigns a queue at once, not at open', () => {
    const parent = parentOf(2);
    const mdev = parent.create(uuid(1), TYPE.id);
    const { type, qpId, createdAtMs, state } = mdev;
    assert.deepEqual([mdev.uuid, type, qpId], [uuid(1), TYPE, 0]);
    assert.deepEqual([createdAtMs, state], [1_700_000_000_000, 'created']);
    assert.equal(parent.queuesFree, 1);
    assert.equal(parent.queuesTotal, 2);
  });
  it('refuses what is not a UUID (EINVAL)', () => {
    const parent = parentOf(1);
    const bad = [
      '',
      'x',
      uuid(1).slice(1),
      `${uuid(1)}0`,
      `${uuid(1)}\n\n`,
      uuid(1).replaceAll('-', ''),
      uuid(1).replace('8', 'g'),
    ];
    for (const text of bad) assert.throws(() => parent.create(text, TYPE.id), withCode('WD_E_EINVAL'), text);
    assert.equal(parent.queuesFree, 1);
  });
  it('refuses a type that the parent does not offer (EINVAL)', () => {
    assert.throws(() => parentOf(1).create(uuid(1), 'hisi_sec-sec'), withCode('WD_E_EINVAL', /hisi_sec-sec/));
  });
  it('refuses a UUID that exists already (EEXIST), in whatever case it is written', () => {
    const parent = parentOf(3);
    parent.create(uuid(1), TYPE.id);
    assert.throws(() => parent.create(uuid(1), TYPE.id), withCode('WD_E_EEXIST'));
    assert.throws(() => parent.create(uuid(1).toUpperCase(), TYPE.id), withCode('WD_E_EEXIST'));
    assert.equal(parent.queuesFree, 2);
  });
  it('refuses when the pool is exhausted (EBUSY) and keeps no half-made mdev', () => {
    const parent = parentOf(2);
    parent.create(uuid(1), TYPE.id);
    parent.create(uuid(2), TYPE.id);
    assert.throws(() => parent.create(uuid(3), TYPE.id), withCode('WD_E_NO_QUEUE', /EBUSY/));
    assert.equal(parent.list().length, 2);
    parent.remove(uuid(1));
    assert.equal(parent.create(uuid(3), TYPE.id).qpId, 0);
  });
});

describe('ParentDevice.remove', () => {
  it('gives the queue back', () => {
    const parent = parentOf(1);
    const mdev = parent.create(uuid(1), TYPE.id);
    parent.remove(uuid(1));
    assert.equal(mdev.state, 'removed');
    assert.equal(parent.queuesFree, 1);
    assert.deepEqual(parent.list(), []);
  });
  it('refuses a UUID that is not there (ENODEV), also the second time', () => {
    const parent = parentOf(1);
    assert.throws(() => parent.remove(uuid(1)), withCode('WD_E_ENODEV'));
    parent.create(uuid(1), TYPE.id);
    parent.remove(uuid(1));
    assert.throws(() => parent.remove(uuid(1)), withCode('WD_E_ENODEV'));
  });
  it('refuses while a user has it open (EBUSY)', () => {
    const parent = parentOf(1);
    const mdev = parent.create(uuid(1), TYPE.id);
    for (const state of ['opened', 'bound', 'active', 'draining'] as const) {
      mdev.state = state;
      assert.throws(() => parent.remove(uuid(1)), withCode('WD_E_EBUSY'), state);
    }
    assert.equal(parent.queuesFree, 0);
  });
});

describe('ParentDevice.findIdle', () => {
  it('finds mdevs that nobody has open, oldest first', () => {
    const parent = parentOf(2);
    assert.equal(parent.findIdle(), undefined);
    const first = parent.create(uuid(1), TYPE.id);
    const second = parent.create(uuid(2), TYPE.id);
    first.state = 'opened';
    assert.equal(parent.findIdle(), second);
    first.state = 'created';
    assert.equal(parent.findIdle(), first);
  });
});
