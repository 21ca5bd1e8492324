import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseQuery } from './query.ts';

const subject = { text: 'hisi_zip-0/3 started node 42', fields: { state: 'started', owner: 'node 42' } };

describe('parseQuery', () => {
  it('wants every word somewhere, case aside', () => {
    assert.equal(parseQuery('ZIP node')(subject), true);
    assert.equal(parseQuery('zip python')(subject), false);
  });
  it('looks at one field only when a term names it', () => {
    assert.equal(parseQuery('state:start')(subject), true);
    assert.equal(parseQuery('owner:started')(subject), false);
  });
  it('takes a term with an unknown name as plain text', () => {
    assert.equal(parseQuery('0000:75')({ text: 'at 0000:75:00.0', fields: {} }), true);
  });
  it('matches everything when it is empty', () => {
    assert.equal(parseQuery('  ')(subject), true);
  });
});
