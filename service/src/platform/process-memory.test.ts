import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { coversRange } from './process-memory.ts';

const MAPS = `00001000-00003000 r--p 00000000 08:01 1 /bin/a
00003000-00004000 rw-p 00000000 00:00 0
00006000-00007000 rw-p 00000000 00:00 0 [heap]
`;

describe('coversRange', () => {
  it('accepts ranges inside one mapping or across touching ones', () => {
    assert.equal(coversRange(MAPS, 0x1000, 0x3000), true);
    assert.equal(coversRange(MAPS, 0x2fff, 2), true);
    assert.equal(coversRange(MAPS, 0x6000, 0x1000), true);
  });

  it('refuses ranges with a hole, before the first mapping or past the last', () => {
    assert.equal(coversRange(MAPS, 0x3000, 0x4000), false);
    assert.equal(coversRange(MAPS, 0xfff, 2), false);
    assert.equal(coversRange(MAPS, 0x6000, 0x1001), false);
    assert.equal(coversRange(MAPS, 0x8000, 1), false);
    assert.equal(coversRange('', 0x1000, 1), false);
  });
});
