import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MenuItemConstructorOptions } from 'electron';
import { VIEWS } from '../renderer/views.ts';
import { menuTemplate } from './menu.ts';

function itemsOf(isMac: boolean) {
  const pressed: string[] = [];
  const flat = (items: MenuItemConstructorOptions[]): MenuItemConstructorOptions[] =>
    items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? flat(item.submenu) : [])]);
  const items = flat(menuTemplate({ isMac, press: (key) => pressed.push(key), openDocs: () => {} }));
  return { pressed, items };
}

describe('menuTemplate', () => {
  it('names each view of the page with the key that shows it', () => {
    const { items, pressed } = itemsOf(false);
    for (const { label, key } of VIEWS) {
      const item = items.find((one) => one.label === label);
      assert.ok(item, label);
      (item.click as unknown as () => void)();
      assert.equal(pressed.at(-1), key);
    }
  });
  it('leaves the keys to the page and offers no way to its inside', () => {
    for (const isMac of [true, false]) {
      const { items } = itemsOf(isMac);
      for (const item of items.filter(({ accelerator }) => accelerator !== undefined))
        assert.equal(item.registerAccelerator, false);
      for (const role of ['toggleDevTools', 'reload', 'forceReload', 'viewMenu', 'fileMenu'])
        assert.ok(!items.some((item) => item.role === role), role);
    }
  });
});
