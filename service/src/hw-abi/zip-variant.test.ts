import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZIP_V2, ZIP_V3 } from './zip-variant.ts';

describe('ZIP_V2 (sources.md 5.1, 6.1, 6.2)', () => {
  it('has hardware revision 0x21', () => assert.equal(ZIP_V2.revision, 0x21));
  it('has API string hisi_qm_v2', () => assert.equal(ZIP_V2.api, 'hisi_qm_v2'));
  it('has SQE type 0', () => assert.equal(ZIP_V2.sqeType, 0));
  it('keeps its tag in dw13', () =>
    assert.deepEqual([ZIP_V2.tag.dword, ZIP_V2.tag.shift, ZIP_V2.tag.bits], [13, 0, 32]));
  it('answers the core’s kind beside its tag', () => assert.equal(ZIP_V2.coreTag.dword, 26));
  it('takes zlib and gzip only', () => assert.deepEqual([...ZIP_V2.requestTypes], [0x02, 0x03]));
  it('has 1024 queues', () => assert.equal(ZIP_V2.totalQueues, 1024));
});

describe('ZIP_V3 (sources.md 5.1, 6.1, 6.2)', () => {
  it('has hardware revision 0x30', () => assert.equal(ZIP_V3.revision, 0x30));
  it('has API string hisi_qm_v3', () => assert.equal(ZIP_V3.api, 'hisi_qm_v3'));
  it('has SQE type 3', () => assert.equal(ZIP_V3.sqeType, 3));
  it('keeps its tag in dw26', () =>
    assert.deepEqual([ZIP_V3.tag.dword, ZIP_V3.tag.shift, ZIP_V3.tag.bits], [26, 0, 32]));
  it('answers the core’s kind beside its tag', () => assert.equal(ZIP_V3.coreTag.dword, 13));
  it('takes raw deflate too', () => assert.deepEqual([...ZIP_V3.requestTypes], [0x01, 0x02, 0x03]));
  it('has 1024 queues', () => assert.equal(ZIP_V3.totalQueues, 1024));
});
