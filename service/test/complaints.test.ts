import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PACKAGE_ROOT } from '../src/ops/package.ts';

const text = (path: string) => readFileSync(join(PACKAGE_ROOT, path), 'utf8');

describe('docs/complaints.md', () => {
  const rows = [...text('docs/complaints.md').matchAll(/^\| (\d+) \|.*\| ([^|]+) \|$/gm)];
  it('answers all fifteen', () => {
    assert.deepEqual(
      rows.map(([, number]) => Number(number)),
      Array.from({ length: 15 }, (_, i) => i + 1),
    );
  });
  it('names tests that exist', () => {
    // a title may hold a semicolon of its own; the next file begins a new test
    for (const [, number, tests = ''] of rows)
      for (const test of tests.split(/; (?=\S+\.ts › )/)) {
        const [file = '', title = ''] = test.split(' › ');
        assert.match(file, /\.(test|spec)\.ts$/, `complaint ${number}`);
        assert.ok(title !== '' && text(file).includes(`'${title}'`), `complaint ${number}: ${test}`);
      }
  });
});
