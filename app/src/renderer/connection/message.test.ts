import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMonitorMessage } from './message.ts';

describe('parseMonitorMessage', () => {
  it('gives the message of a text frame', () => {
    const sample = { atMs: 1, totals: {}, queues: [], devices: [] };
    const message = parseMonitorMessage(JSON.stringify({ type: 'sample', sample, dropped: 0 }));
    assert.equal(message?.type, 'sample');
  });
  it('refuses what is not JSON, not a known message, or lacks what the panels read', () => {
    const frames = [
      '{"type":"samp',
      'null',
      '[]',
      '7',
      '{}',
      '{"type":"bench"}',
      '{"type":"constructor"}',
      '{"type":"sample","sample":{"atMs":1,"totals":{},"queues":[]}}',
      '{"type":"sample","sample":null}',
      '{"type":"snapshot","status":{}}',
      '{"type":"fault","fault":{}}',
      new Uint8Array(4),
    ];
    for (const frame of frames) assert.equal(parseMonitorMessage(frame), undefined, String(frame));
  });
});
