import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PROBLEMS, type ProblemCode, problemOf, WarpDriveError } from './problem.ts';

const codes = Object.keys(PROBLEMS) as ProblemCode[];

describe('PROBLEMS', () => {
  it('has a title, an advice, an HTTP error status and a close code that a server may send for every code', () => {
    for (const code of codes) {
      const { title, advice, status, wsClose } = PROBLEMS[code];
      assert.match(code, /^WD_E_[A-Z_]+$/);
      assert.ok(title.length > 5 && !title.endsWith('.'), code);
      assert.ok(advice.endsWith('.'), code);
      assert.ok(status >= 400 && status < 600, code);
      // RFC 6455 7.4: 1005, 1006 and 1015 never go on the wire; 4000–4999 are private
      assert.ok(
        [1001, 1008, 1011, 1012, 1013].includes(wsClose) || (wsClose >= 4000 && wsClose < 5000),
        code,
      );
    }
  });
  it('calls nothing retryable that the client has to change first', () => {
    for (const code of codes)
      if ([400, 401, 413, 415, 422].includes(PROBLEMS[code].status))
        assert.equal(PROBLEMS[code].retryable, false, code);
  });
});

describe('problemOf', () => {
  it('makes the problem document of RFC 9457', () => {
    const error = new WarpDriveError('WD_E_LIMIT_INPUT', 'more than 5 bytes of input', { limitBytes: 5 });
    assert.deepEqual(problemOf(error, '/v1/compress'), {
      type: 'urn:warpdrive:problem:limit-input',
      title: 'Input is over its limit',
      status: 413,
      detail: 'more than 5 bytes of input',
      code: 'WD_E_LIMIT_INPUT',
      advice: 'Send less, or raise --max-input.',
      instance: '/v1/compress',
      limitBytes: 5,
    });
  });
  it('keeps the message of a foreign error to itself', () => {
    for (const error of [new Error('secret path /root'), 'text', undefined]) {
      const problem = problemOf(error);
      assert.deepEqual([problem.code, problem.status], ['WD_E_INTERNAL', 500]);
      assert.doesNotMatch(JSON.stringify(problem), /secret/);
    }
  });
  it('does not let details replace the document’s own members', () => {
    const error = new WarpDriveError('WD_E_EINVAL', 'message', { status: 200, code: 'x', type: 'y' });
    const problem = problemOf(error);
    assert.deepEqual(
      [problem.status, problem.code, problem.type],
      [400, 'WD_E_EINVAL', 'urn:warpdrive:problem:einval'],
    );
  });
  it('gives every code a type of its own', () => {
    const types = codes.map((code) => problemOf(new WarpDriveError(code, 'x')).type);
    assert.equal(new Set(types).size, codes.length);
  });
});

describe('WarpDriveError', () => {
  it('knows whether a retry may help, and keeps its cause', () => {
    const cause = new Error('below');
    assert.equal(new WarpDriveError('WD_E_NO_QUEUE', 'x').retryable, true);
    assert.equal(new WarpDriveError('WD_E_EINVAL', 'x').retryable, false);
    assert.equal(new WarpDriveError('WD_E_DEVICE', 'x', {}, { cause }).cause, cause);
  });
});
