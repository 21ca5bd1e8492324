import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { csv } from './csv.ts';

describe('csv', () => {
  it('quotes what would break a field or a line', () => {
    assert.equal(
      csv(
        ['a', 'b'],
        [
          ['x,y', 'say "hi"'],
          ['two\nlines', ''],
        ],
      ),
      'a,b\r\n"x,y","say ""hi"""\r\n"two\nlines",\r\n',
    );
  });
  it('leaves unknown numbers empty and writes the others without a unit', () => {
    assert.equal(csv(['v'], [[Number.NaN], [0.1 + 0.2], [1e6], [-3]]), 'v\r\n\r\n0.3\r\n1000000\r\n-3\r\n');
  });
  it('takes the effect from text that a spreadsheet would run', () => {
    assert.equal(csv(['v'], [['=1+1'], ['@x'], ['plain']]), "v\r\n'=1+1\r\n'@x\r\nplain\r\n");
  });
});
