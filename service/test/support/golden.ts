import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type AddressField, type Field, setField } from '../../src/hw-abi/field.ts';

/** dword and mask as typed from the sources of docs/sources.md; an address occupies `dword` and the word after it. */
export type GoldenLayout = Record<string, readonly [dword: number, mask: number] | readonly [dword: number]>;

const fill = (words: Uint32Array, target: Field): void => setField(words, 0, target, 0xffff_ffff);

/**
 * One test a field: all ones written through the table give exactly the mask of the reference, in exactly that word,
 * little-endian. Fields that the reference list does not name fail too.
 */
export function goldenLayout(
  bytes: number,
  table: Readonly<Record<string, Field | AddressField>>,
  golden: GoldenLayout,
): void {
  it('names the fields of the reference and no others', () => {
    assert.deepEqual(Object.keys(table).sort(), Object.keys(golden).sort());
  });
  for (const [name, [dword, mask]] of Object.entries(golden))
    it(`has ${name} at dword ${dword}${mask === undefined ? ' and the next' : `, mask 0x${mask.toString(16)}`}`, () => {
      const target = table[name]!;
      const actual = new Uint32Array(bytes / 4);
      const expected = new DataView(new ArrayBuffer(bytes));
      if ('low' in target) {
        fill(actual, target.low);
        expected.setUint32(dword * 4, 0xffff_ffff, true);
        assert.deepEqual(Buffer.from(actual.buffer), Buffer.from(expected.buffer), 'low word');
        fill(actual, target.high);
        expected.setUint32(dword * 4 + 4, 0xffff_ffff, true);
      } else {
        fill(actual, target);
        expected.setUint32(dword * 4, mask!, true);
      }
      assert.deepEqual(Buffer.from(actual.buffer), Buffer.from(expected.buffer));
    });
}
