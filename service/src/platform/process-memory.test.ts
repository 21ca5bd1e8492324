import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { coversRange, Mappings } from './process-memory.ts';

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

describe('Mappings.forbids', () => {
  it('tells a mapping without the right from no mapping', () => {
    const mappings = new Mappings(() => MAPS);
    const asked = [0xfff, 0x1000, 0x2fff, 0x3000, 0x4000, 0x6000, 0x7000];
    assert.deepEqual(
      asked.filter((address) => mappings.forbids(address, 'write')),
      [0x1000, 0x2fff],
    );
    assert.ok(!asked.some((address) => mappings.forbids(address, 'read')));
    assert.ok(new Mappings(() => '1000-2000 ---p 0 0:0 0\n').forbids(0x1800, 'read'));
  });
  it('looks again when twenty times what the last look took has passed, and knows nothing of a process that is gone', () => {
    let [nowMs, looks] = [0, 0];
    const mappings = new Mappings(
      () => {
        nowMs += 3;
        if (++looks > 1) throw new Error('ENOENT');
        return MAPS;
      },
      () => nowMs,
    );
    assert.ok(mappings.forbids(0x1000, 'write'));
    nowMs = 62;
    assert.ok(mappings.forbids(0x1000, 'write'));
    assert.equal(looks, 1);
    nowMs = 63;
    assert.ok(!mappings.forbids(0x1000, 'write'));
    assert.equal(looks, 2);
  });
});
