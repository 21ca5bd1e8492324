import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANSWERS, answerOf } from './worker-answer.ts';

describe("a worker's answer", () => {
  it('passes as it is when it has the shape of its call', () => {
    const plan = {
      id: 3,
      device: 'hisi_zip-1',
      plan: { kind: 'slow-dma', delayMs: 5, count: 2 },
      isActive: true,
      injectedAtMs: 1,
      seen: 4,
      fired: 1,
    };
    assert.deepEqual(answerOf('faultPlans', ANSWERS.faultPlans, [plan]), [plan]);
    assert.equal(answerOf('clearFaults', ANSWERS.clearFaults, 2), 2);
    assert.equal(answerOf('job', ANSWERS.job, undefined), undefined);
  });

  it('is refused with the name of the call and the field otherwise', () => {
    const code = 'WD_E_INTERNAL';
    assert.throws(() => answerOf('clearFaults', ANSWERS.clearFaults, undefined), {
      code,
      message: /^a worker's answer to clearFaults: value: /,
    });
    assert.throws(() => answerOf('faultPlans', ANSWERS.faultPlans, [{ id: 'x' }]), {
      code,
      message: /^a worker's answer to faultPlans: 0\.id: /,
    });
    assert.throws(() => answerOf('job', ANSWERS.job, { id: 'a' }), { code, message: /to job: / });
  });
});
