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
    createIpcHandlers({ openExternal: async (url) => void opened.push(url) }),
  );
  const call = async (sender: IpcSender, ...args: unknown[]) => listeners.get('link:open')?.(sender, ...args);
  return { opened, listeners, call };
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
    assert.deepEqual([...gateUnderTest().listeners.keys()], ['link:open']);
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
