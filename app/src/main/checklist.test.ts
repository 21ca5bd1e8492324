/** Electron's security recommendations that are about the whole source: what must not be written anywhere. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const sources = (folder: string): [string, string][] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|html|yml)$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => [join(folder, name), readFileSync(join(folder, name), 'utf8')]);
const all = sources('app/src');
const found = (pattern: RegExp) => all.filter(([, text]) => pattern.test(text)).map(([name]) => name);

describe('Electron’s checklist over the source', () => {
  it('1, 18 loads nothing over http or file, and pages only from its own scheme', () => {
    assert.deepEqual(found(/loadFile\(|loadURL\((?!pageUrl)|file:\/\//), []);
    assert.deepEqual(found(/<script[^>]+src="(?!main\.js")|<link[^>]+href="(?:https?:|\/\/)/), []);
  });
  it('2, 3, 4, 6, 8, 9, 10 weakens no preference of the window and sets no switch of Chromium', () => {
    assert.deepEqual(
      found(/(nodeIntegration\w*|webviewTag|allowRunningInsecureContent|experimentalFeatures):\s*true/),
      [],
    );
    assert.deepEqual(found(/(contextIsolation|sandbox|webSecurity):\s*false/), []);
    assert.deepEqual(
      found(/enableBlinkFeatures|appendSwitch|ignore-certificate-errors|disable-web-security/),
      [],
    );
  });
  it('7 has no inline script, style or handler in its page', () => {
    const html = readFileSync('app/src/renderer/index.html', 'utf8');
    assert.doesNotMatch(html, /<script(?![^>]+src=)|<style|\son\w+=|\sstyle=/);
    assert.deepEqual(found(/\beval\(|new Function\(|\.innerHTML\s*=|insertAdjacentHTML|document\.write/), []);
  });
  it('15 hands links to the system in one place, behind the list of allowed ones', () => {
    assert.deepEqual(found(/shell\.openExternal/), ['app/src/main/main.ts']);
    const handlers = readFileSync('app/src/main/ipc-handlers.ts', 'utf8');
    assert.match(handlers, /if \(!isAllowedExternal\(url\)\) return false;\s+await openExternal\(url\)/);
  });
  it('16 is built for one exact version of Electron', () => {
    const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    assert.match(devDependencies['electron'] ?? '', /^\d+\.\d+\.\d+$/);
  });
  it('17, 20 speaks over the gate alone: no synchronous IPC, no remote module, no event object for the page', () => {
    assert.deepEqual(found(/sendSync|ipcMain\.(on|once|handle)\(|@electron\/remote/), []);
    const preload = readFileSync('app/src/preload/preload.ts', 'utf8');
    assert.match(preload, /exposeInMainWorld\('warpdrive', bridge\)/);
    assert.doesNotMatch(preload, /exposeInMainWorld\([^)]*ipcRenderer/);
    const keys = [...preload.matchAll(/^ {2}(\w+): \(/gm)].map(([, name]) => name);
    assert.deepEqual(keys, ['openLink', 'saveExport', 'saveToken', 'loadToken', 'onResume']);
  });
});
