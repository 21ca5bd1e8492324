import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSaver, isExportName } from './save-export.ts';

describe('createSaver', () => {
  it('writes only where the user says, and remembers the folder', async () => {
    const asked: string[] = [];
    const written: string[] = [];
    let answer: string | undefined = '/home/me/reports/x.csv';
    const save = createSaver({
      downloads: '/home/me/Downloads',
      choosePath: async (path) => {
        asked.push(path);
        return answer;
      },
      write: async (path) => void written.push(path),
    });
    const bytes = new Uint8Array(3);
    assert.equal(await save('a.csv', bytes), 'saved');
    answer = undefined;
    assert.equal(await save('b.png', bytes), 'cancelled');
    assert.deepEqual(asked, ['/home/me/Downloads/a.csv', '/home/me/reports/b.png']);
    assert.deepEqual(written, ['/home/me/reports/x.csv']);
  });
});

describe('isExportName', () => {
  it('accepts plain names of exported kinds and nothing that leads elsewhere', () => {
    for (const name of ['warpdrive-figures-2026-11-23T19-20-05.csv', 'a.json', 'a.jsonl', 'b.png'])
      assert.equal(isExportName(name), true, name);
    for (const name of [
      '../a.csv',
      '/etc/a.csv',
      'a/b.csv',
      'a\\b.csv',
      '.csv',
      '.a.csv',
      'a.sh',
      'a.csv\0',
      '',
      7,
      'a.csv.exe',
    ])
      assert.equal(isExportName(name), false, String(name));
  });
});
