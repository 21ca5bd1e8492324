import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workerMessage } from './worker-message.ts';

const REPORT = {
  increments: { retries: 1 },
  devices: [],
  mdevs: [],
  queues: [],
  jobSlots: [{ pool: 'small', total: 4, taken: 1, waiting: 0 }],
  pageRequests: [],
  rssBytes: 1,
  eventLoopDelayMs: 0.5,
};

describe("a worker's message", () => {
  it('passes as it is', () => {
    for (const message of [
      { type: 'ready' },
      { type: 'taken', id: 0 },
      { type: 'answer', id: 1 },
      { type: 'answer', id: 1, value: [] },
      {
        type: 'answer',
        id: 1,
        error: { code: 'WD_E_ENODEV', message: 'none', details: { errno: 'ENODEV' } },
      },
      { type: 'report', report: REPORT },
      { type: 'ended' },
    ])
      assert.equal(workerMessage(message), message);
  });

  it('is refused with the field that is wrong', () => {
    const refused = (message: unknown, field: RegExp) =>
      assert.throws(() => workerMessage(message), { code: 'WD_E_INTERNAL', message: field });
    refused(undefined, /a worker's message: type: /);
    refused({ type: 'gossip' }, /message: type: /);
    refused({ type: 'taken', id: -1 }, /message: id: /);
    refused({ type: 'answer', id: 1, error: { code: 'nope', message: '', details: {} } }, /error\.code: /);
    refused(
      { type: 'report', report: { ...REPORT, increments: { a: null } } },
      /message: report\.increments\.a: /,
    );
    refused({ type: 'report', report: { ...REPORT, queues: [{}] } }, /message: report\.queues\.0\./);
    refused({ type: 'fault', fault: {} }, /message: fault\./);
  });
});
