import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCode } from '../../../test/support/errors.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { kernelRig } from '../../../test/support/kernel-rig.ts';
import { IsolationStrategy } from './isolation.ts';

const HOUR_MS = 3600 * 1000;
const ISOLATE = '/sys/class/uacce/hisi_zip-0/isolate';
const STRATEGY = '/sys/class/uacce/hisi_zip-0/isolate_strategy';

describe('IsolationStrategy', () => {
  it('isolates at the number of errors that it allows, within an hour', () => {
    const clock = new FakeClock();
    const strategy = new IsolationStrategy(clock);
    strategy.setStrategy('3\n');
    assert.deepEqual([strategy.recordError(), strategy.recordError()], [false, false]);
    clock.advance(HOUR_MS); // both are too old now
    assert.equal(strategy.errors, 0);
    assert.deepEqual(
      [1, 2, 3].map(() => strategy.recordError()),
      [false, false, true],
    );
    assert.equal(strategy.isIsolated, true);
  });
  it('never isolates with strategy 0, unless a reset failed', () => {
    const strategy = new IsolationStrategy(new FakeClock());
    for (let i = 0; i < 100; i++) assert.equal(strategy.recordError(), false);
    strategy.isolate();
    assert.equal(strategy.isIsolated, true);
  });
  it('takes 0 to 65535 and refuses everything else (EINVAL)', () => {
    const strategy = new IsolationStrategy(new FakeClock());
    for (const text of ['0', '65535', ' 7 \n']) strategy.setStrategy(text);
    for (const text of ['65536', '-1', 'x', '', '1.5', '99999999999999999999'])
      assert.throws(() => strategy.setStrategy(text), withCode('WD_E_EINVAL'), text);
    assert.equal(strategy.strategy, 7);
  });
  it('cannot be changed on a VF or once isolated (EPERM); a reload of the driver brings the device back', () => {
    assert.throws(
      () => new IsolationStrategy(new FakeClock(), true).setStrategy('1'),
      withCode('WD_E_EPERM'),
    );
    const strategy = new IsolationStrategy(new FakeClock());
    strategy.setStrategy('1');
    strategy.recordError();
    assert.throws(() => strategy.setStrategy('5'), withCode('WD_E_EPERM'));
    strategy.reload();
    assert.deepEqual([strategy.isIsolated, strategy.strategy, strategy.errors], [false, 1, 0]);
    strategy.setStrategy('5');
  });
  it('forgets the errors when it is written', () => {
    const strategy = new IsolationStrategy(new FakeClock());
    strategy.setStrategy('2');
    strategy.recordError();
    strategy.setStrategy('2');
    assert.equal(strategy.recordError(), false);
  });
});

describe('Kernel.hardwareError', () => {
  it('stops every queue, and once the device is isolated nobody opens one until the driver is reloaded', () => {
    const { kernel, taskOf } = kernelRig();
    kernel.sysfs.write(STRATEGY, '2', true);
    const file = kernel.uacce.open(taskOf());
    file.queue.start();
    assert.equal(kernel.hardwareError(), false);
    assert.equal(file.queue.state, 'stopped');
    file.close();
    kernel.uacce.open(taskOf()).close();
    assert.equal(kernel.hardwareError(), true);
    assert.equal(kernel.sysfs.read(ISOLATE, false), '1\n');
    assert.equal(kernel.devices()[0]?.isolated, true);
    assert.throws(() => kernel.uacce.open(taskOf()), withCode('WD_E_EPERM', /isolated/));
    kernel.createMdev({ type: 'hisi_zip-zip' }, true);
    const inside = kernel.attach({ mode: 'sva', owner: { pid: 1, name: 'service' } });
    assert.throws(() => inside.openQueue({ operation: 'compress', priority: 0 }), withCode('WD_E_EPERM'));
    assert.equal(kernel.mdevs()[0]?.state, 'created');
    assert.throws(() => kernel.sysfs.write(STRATEGY, '9', true), withCode('WD_E_EPERM'));
    kernel.isolation.reload();
    kernel.uacce.open(taskOf());
    assert.equal(kernel.sysfs.read(ISOLATE, false), '0\n');
  });
});
