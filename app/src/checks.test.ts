/** docs/monitor-checks.md against the tests: what it names exists, and each number has at least one. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const text = readFileSync('docs/monitor-checks.md', 'utf8');
/** Points that each part must have. */
const PARTS: Record<string, number> = {
  'What engineers expect of a monitor': 14,
  'What the monitor delivers': 7,
  "Electron's security recommendations": 20,
};
const fileOf = (name: string) =>
  [`e2e/specs/${name}`, `app/src/${name}`, `app/src/renderer/${name}`].find((path) => existsSync(path));

describe('docs/monitor-checks.md', () => {
  it('has each point of its three parts, and a test for each', () => {
    const parts = text.split(/^## /m).slice(1);
    assert.deepEqual(
      parts.map((part) => part.split('\n')[0]),
      Object.keys(PARTS),
    );
    for (const part of parts) {
      const points = part.split(/^### /m).slice(1);
      const expected = Array.from({ length: PARTS[part.split('\n')[0] ?? ''] ?? 0 }, (_, i) => i + 1);
      assert.deepEqual(
        points.map((point) => Number.parseInt(point, 10)),
        expected,
      );
      for (const point of points) assert.match(point, /^- `/m, point);
    }
  });

  it('names tests that exist, by their titles', () => {
    const named = [...text.matchAll(/^- `([^`]+)` (.+)$/gm)];
    assert.equal(named.length, text.match(/^- /gm)?.length);
    for (const [, file = '', title = ''] of named) {
      const path = fileOf(file);
      assert.ok(path !== undefined, `${file} is gone`);
      const tests = readFileSync(path, 'utf8').matchAll(/\b(?:test|it)\(\s*(['`])(.*?)\1,/gs);
      assert.ok(
        [...tests].some(([, , found]) => found === title),
        `${file} has no test “${title}”`,
      );
    }
  });
});
