import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type IpcSender, isTrustedSender, openIpcGate } from './ipc-gate.ts';
import { createIpcHandlers } from './ipc-handlers.ts';

const PAGE: IpcSender = { senderFrame: { url: 'warpdrive://monitor/index.html', parent: null } };

function gateUnderTest() {
  const opened: string[] = [];
  const listeners = new Map<string, (event: IpcSender, ...args: unknown[]) => unknown>();
  openIpcGate(
    { handle: (channel, listener) => void listeners.set(channel, listener) },
    createIpcHandlers({
      openExternal: async (url) => void opened.push(url),
      saveExport: async (name, bytes) => {
        opened.push(`${name} ${bytes.length}`);
        return 'saved';
      },
      tokens: { save: async () => true, load: async (origin) => `token of ${origin}` },
    }),
  );
  const callOn = async (channel: string, sender: IpcSender, ...args: unknown[]) =>
    listeners.get(channel)?.(sender, ...args);
  const call = (sender: IpcSender, ...args: unknown[]) => callOn('link:open', sender, ...args);
  return { opened, listeners, call, callOn };
}

describe('isTrustedSender', () => {
  it('trusts the main frame of the app only', () => {
    assert.equal(isTrustedSender(PAGE), true);
    const forged: IpcSender[] = [
      { senderFrame: null },
      { senderFrame: { url: 'warpdrive://monitor/index.html', parent: {} } },
      { senderFrame: { url: 'https://monitor/index.html', parent: null } },
      { senderFrame: { url: 'warpdrive://evil/index.html', parent: null } },
      { senderFrame: { url: 'warpdrive://monitor@evil/', parent: null } },
      { senderFrame: { url: 'about:blank', parent: null } },
    ];
    for (const sender of forged) assert.equal(isTrustedSender(sender), false, JSON.stringify(sender));
  });
});

describe('openIpcGate', () => {
  it('registers the channels of the contract and no others', () => {
    assert.deepEqual(
      [...gateUnderTest().listeners.keys()],
      ['link:open', 'export:save', 'token:save', 'token:load'],
    );
  });
  it('opens a https link for the page', async () => {
    const { call, opened } = gateUnderTest();
    assert.equal(await call(PAGE, 'https://example.org/docs'), true);
    assert.deepEqual(opened, ['https://example.org/docs']);
  });
  it('refuses a forged sender and arguments of another shape', async () => {
    const { call, opened } = gateUnderTest();
    await assert.rejects(call({ senderFrame: null }, 'https://example.org'), /not a page of the app/);
    for (const args of [[], [7], [{}], ['https://example.org', 'more']]) {
      await assert.rejects(call(PAGE, ...args), /arguments refused/);
    }
    assert.deepEqual(opened, []);
  });
  it('saves exports under plain names and answers tokens for origins, nothing else', async () => {
    const { callOn, opened } = gateUnderTest();
    assert.equal(await callOn('export:save', PAGE, 'a.csv', new Uint8Array(3)), 'saved');
    assert.deepEqual(opened, ['a.csv 3']);
    assert.equal(await callOn('token:load', PAGE, 'http://127.0.0.1:8080'), 'token of http://127.0.0.1:8080');
    for (const [channel, ...args] of [
      ['export:save', '../a.csv', new Uint8Array(1)],
      ['export:save', 'a.csv', 'text'],
      ['export:save', 'a.csv'],
      ['token:load', 'http://127.0.0.1:8080/x'],
      ['token:load', 'file:///etc'],
      ['token:load', 7],
      ['token:save', 'https://a', 7],
      ['token:save', 'https://a', 'x'.repeat(513)],
    ] as [string, ...unknown[]][])
      await assert.rejects(callOn(channel, PAGE, ...args), /arguments refused/, `${channel} ${String(args)}`);
    for (const channel of ['export:save', 'token:save', 'token:load'])
      await assert.rejects(callOn(channel, { senderFrame: null }, 'https://a', 'b'), /not a page of the app/);
  });
  it('opens nothing but https', async () => {
    const { call, opened } = gateUnderTest();
    for (const url of [
      'file:///etc/passwd',
      'javascript:alert(1)',
      'http://a.b',
      'vscode://x',
      'https://u:p@a.b',
      '',
    ]) {
      assert.equal(await call(PAGE, url), false, url);
    }
    assert.deepEqual(opened, []);
  });
});
