import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LOST_COMPLETION } from '../driver/zip/zip-request.ts';
import { errorOf } from './completion-error.ts';

const completion = (outcome: Parameters<typeof errorOf>[0]['outcome'], status: number) => ({
  ...LOST_COMPLETION,
  outcome,
  status,
});

describe('errorOf', () => {
  it('gives each failure its code and keeps the raw device status', () => {
    const cases = [
      ['corrupt', 0x03, 'WD_E_INPUT_CORRUPT', '0x03'],
      ['checksum-error', 0x10, 'WD_E_INPUT_CORRUPT', '0x10'],
      ['dma-error', 0x41, 'WD_E_IOVA_UNMAPPED', '0x41'],
      ['output-exhausted', 0x0e, 'WD_E_DEVICE', '0x0e'],
      ['bad-request', 0x02, 'WD_E_DEVICE', '0x02'],
      ['device-error', 0xff, 'WD_E_DEVICE', '0xff'],
    ] as const;
    for (const [outcome, status, code, deviceStatus] of cases) {
      const error = errorOf(completion(outcome, status));
      assert.deepEqual([error?.code, error?.details], [code, { deviceStatus }], outcome);
    }
  });
  it('finds none in a job that went well', () => {
    assert.equal(errorOf(completion('ok', 0)), undefined);
    assert.equal(errorOf(completion('end', 0x13)), undefined);
  });
});
