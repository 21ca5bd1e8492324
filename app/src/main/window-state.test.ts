import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadWindowState, saveWindowState, type WindowState } from './window-state.ts';

const SCREEN = { x: 0, y: 0, width: 1920, height: 1080 };
const STATE: WindowState = { bounds: { x: 100, y: 50, width: 1440, height: 900 }, isMaximized: false };

function fileOf(text: string | undefined) {
  const file = {
    text,
    read: async () => file.text,
    write: async (written: string) => {
      file.text = written;
    },
  };
  return file;
}
const loaded = (state: unknown, screens = [SCREEN]) =>
  loadWindowState(fileOf(JSON.stringify(state)), screens);

describe('window state', () => {
  it('comes back as it was saved', async () => {
    const file = fileOf(undefined);
    await saveWindowState(file, STATE);
    assert.deepEqual(await loadWindowState(file, [SCREEN]), STATE);
  });
  it('is forgotten when its screen is gone, or the title bar would be out of reach', async () => {
    for (const [x, y] of [
      [2500, 50],
      [-1400, 50],
      [100, -40],
      [100, 1050],
    ] as const)
      assert.equal(await loaded({ ...STATE, bounds: { ...STATE.bounds, x, y } }), undefined, `${x} ${y}`);
    const second = { x: 1920, y: 0, width: 1920, height: 1080 };
    const there = { ...STATE, bounds: { ...STATE.bounds, x: 2500 } };
    assert.deepEqual(await loaded(there, [SCREEN, second]), there);
  });
  it('is nothing when the file is missing, garbage or too small to use', async () => {
    assert.equal(await loadWindowState(fileOf(undefined), [SCREEN]), undefined);
    assert.equal(await loadWindowState(fileOf('{'), [SCREEN]), undefined);
    for (const state of [
      null,
      7,
      {},
      { ...STATE, isMaximized: 1 },
      { ...STATE, bounds: { ...STATE.bounds, width: 10 } },
    ])
      assert.equal(await loaded(state), undefined);
  });
});
