import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Encryption, privateFile, TokenStore } from './token-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'warpdrive-tokens-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Stands for the key store: reversible, and different from the plain text. */
const encryption: Encryption = {
  isEncryptionAvailable: () => true,
  encryptString: (plain) => Buffer.from(plain).reverse(),
  decryptString: (encrypted) => Buffer.from(encrypted).reverse().toString(),
};
const A = 'http://127.0.0.1:8080';
let files = 0;
const path = () => join(folder, `${files++}.json`);

describe('TokenStore', () => {
  it('keeps a token per service, encrypted, in a file of the user alone, and forgets it on wish', async () => {
    const file = path();
    const store = new TokenStore(privateFile(file), encryption);
    assert.equal(await store.load(A), undefined);
    assert.equal(await store.save(A, 'secret'), true);
    assert.equal(await store.save('https://b', 'other'), true);
    assert.equal(await new TokenStore(privateFile(file), encryption).load(A), 'secret');
    assert.doesNotMatch(readFileSync(file, 'utf8'), /secret|other/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(await store.save(A, ''), true);
    assert.equal(await store.load(A), undefined);
    assert.equal(await store.load('https://b'), 'other');
  });

  it('keeps nothing where the system has no key store', async () => {
    const store = new TokenStore(privateFile(path()), { ...encryption, isEncryptionAvailable: () => false });
    assert.equal(await store.save(A, 'secret'), false);
    assert.equal(await store.load(A), undefined);
  });

  it('takes a file of garbage, or one encrypted elsewhere, as empty', async () => {
    for (const text of ['{', '7', 'null', '{"http://127.0.0.1:8080":3}']) {
      const store = new TokenStore({ read: async () => text, write: async () => {} }, encryption);
      assert.equal(await store.load(A), undefined, text);
    }
    const foreign = new TokenStore(
      { read: async () => JSON.stringify({ [A]: 'xx' }), write: async () => {} },
      {
        ...encryption,
        decryptString: () => {
          throw new Error('not mine');
        },
      },
    );
    assert.equal(await foreign.load(A), undefined);
  });
});
