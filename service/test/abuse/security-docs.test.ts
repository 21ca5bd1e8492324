import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CONFIG_KEYS, flagName } from '../../src/config/schema.ts';
import { PACKAGE_ROOT } from '../../src/ops/package.ts';
import { MUTATIONS } from './mutations.ts';

const text = (path: string) => readFileSync(join(PACKAGE_ROOT, path), 'utf8');

/** Titles in a test file; `${…}` in one stands for anything. */
const titlesIn = (source: string): RegExp[] =>
  [...source.matchAll(/\bit\(\s*(['`])(.*?)\1,/gs)].map(
    ([, , title = '']) =>
      new RegExp(
        `^${title
          .split(/\$\{[^}]*\}/)
          .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('.+')}$`,
      ),
  );

describe('the attack table of docs/security.md', () => {
  const rows = [
    ...text('docs/security.md').matchAll(/^\| (\d+) \|.*\| ([^|]*) \| (\S+\.test\.ts) › ([^|]+) \|$/gm),
  ].map(([, row, options = '', file = '', title = '']) => ({ row: Number(row), options, file, title }));

  it('is numbered', () => {
    assert.deepEqual(
      rows.map(({ row }) => row),
      rows.map((_, i) => i + 1),
    );
    assert.ok(rows.length > 0);
  });

  it('names tests and options that exist', () => {
    const flags = CONFIG_KEYS.map((key) => `--${flagName(key)}`);
    for (const { row, options, file, title } of rows) {
      assert.ok(
        titlesIn(text(file)).some((known) => known.test(title)),
        `row ${row}: ${file} › ${title}`,
      );
      for (const [flag] of options.matchAll(/--[a-z-]+/g))
        assert.ok(flags.includes(flag), `row ${row}: ${flag}`);
    }
  });

  it('has for each row the removal of its defence, by the same test', () => {
    assert.deepEqual(
      MUTATIONS.map(({ row, testFile, test }) => ({ row, file: `service/${testFile}.ts`, title: test })),
      rows.map(({ row, file, title }) => ({ row, file, title })),
    );
  });

  it('removes what is in the compiled code exactly once', () => {
    for (const { row, file, find } of MUTATIONS)
      assert.equal(
        text(`dist/service/src/${file}.js`).split(find).length,
        2,
        `row ${row}: ${find} in ${file}`,
      );
  });
});
