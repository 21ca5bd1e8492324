import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OutputBuffers } from './output-buffers.ts';

const KIB = 1024;

describe('OutputBuffers', () => {
  it('uses the memory of a chunk again that was given back, for outputs of about its size', () => {
    const outputs = new OutputBuffers();
    const chunk = outputs.take(100 * KIB);
    assert.equal(chunk.length, 100 * KIB);
    assert.notEqual(outputs.take(100 * KIB).buffer, chunk.buffer);
    outputs.giveBack(chunk);
    assert.notEqual(outputs.take(200 * KIB).buffer, chunk.buffer, 'too small');
    const again = outputs.take(50 * KIB);
    assert.equal(again.buffer, chunk.buffer);
    assert.equal(again.length, 50 * KIB);
    assert.equal(outputs.idleBytes, 0);
  });
  it('takes back only what it gave out, whole and once', () => {
    const outputs = new OutputBuffers();
    const chunk = outputs.take(100 * KIB);
    outputs.giveBack(chunk.subarray(0, 50 * KIB));
    outputs.giveBack(Buffer.alloc(100 * KIB));
    outputs.giveBack(outputs.take(1000));
    assert.equal(outputs.idleBytes, 0);
    outputs.giveBack(chunk);
    outputs.giveBack(chunk);
    assert.equal(outputs.idleBytes, 128 * KIB);
    const first = outputs.take(100 * KIB);
    outputs.giveBack(chunk); // from before: its memory is another chunk's now
    assert.equal(outputs.idleBytes, 0);
    assert.notEqual(outputs.take(100 * KIB).buffer, first.buffer);
  });
  it('keeps no more than 4 MiB', () => {
    const outputs = new OutputBuffers();
    const chunks = Array.from({ length: 100 }, () => outputs.take(256 * KIB));
    for (const chunk of chunks) outputs.giveBack(chunk);
    assert.equal(outputs.idleBytes, 4 * KIB * KIB);
  });
});
