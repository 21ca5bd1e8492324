import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCode } from '../../../test/support/errors.ts';
import { parseQos } from './qos.ts';
import { shaperEntry } from './shaper.ts';

const BDF = '0000:75:00.0';

describe('parseQos (sources.md 5.12)', () => {
  it('takes the function and 1 to 1000', () => {
    assert.equal(parseQos(`${BDF} 1\n`, BDF), 1);
    assert.equal(parseQos(`${BDF} 1000`, BDF), 1000);
  });
  it('refuses syntax, range and other devices with EINVAL, long texts with ENOSPC', () => {
    for (const text of [
      '',
      '5',
      `${BDF}`,
      `${BDF} 0`,
      `${BDF} 1001`,
      `${BDF} x`,
      `${BDF} 5 6`,
      '0000:75:00.1 5',
    ])
      assert.throws(() => parseQos(text, BDF), withCode('WD_E_EINVAL'), text);
    assert.throws(() => parseQos(`${BDF} ${'5'.padStart(40)}`, BDF), withCode('WD_E_ENOSPC'));
  });
});

describe('shaperEntry (sources.md 5.12)', () => {
  const factors = (entry: number): number[] => [
    entry & 0xff,
    (entry >>> 8) & 7,
    (entry >>> 11) & 15,
    (entry >>> 15) & 15,
    entry >>> 19,
  ];
  it('finds b, u, s and the burst', () => {
    assert.deepEqual(factors(shaperEntry(1)), [154, 0, 4, 1, 9]);
    assert.deepEqual(factors(shaperEntry(1000)), [150, 6, 0, 1, 19]);
  });
  it('is within 0.5 % of the target at every value', () => {
    for (let qos = 1; qos <= 1000; qos++) {
      const [b, u, s] = factors(shaperEntry(qos)) as [number, number, number];
      const mbit = (b * 8000 * 2 ** u) / (768 * 2 ** s);
      assert.ok(b >= 100 && b <= 200 && Math.abs(mbit - qos * 100) / (qos * 100) < 0.0161, `${qos}: ${mbit}`);
    }
  });
});
