import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { monitorPolicy } from './monitor-policy.ts';

describe('monitorPolicy', () => {
  it('lets the page talk to its own service alone', () => {
    assert.match(monitorPolicy(undefined), /connect-src 'self'; /);
  });
  it('adds the origins that the address names, and nothing that is none', () => {
    const policy = monitorPolicy([
      'http://b:2/x',
      'https://c',
      '* ; script-src *',
      'file:///x',
      "javascript:'",
      7,
    ]);
    assert.match(policy, /connect-src 'self' http:\/\/b:2 ws:\/\/b:2 https:\/\/c wss:\/\/c; /);
    assert.doesNotMatch(policy, /\*/);
    assert.match(monitorPolicy('http://b:2'), /connect-src 'self' http:\/\/b:2 ws:\/\/b:2;/);
  });
});
