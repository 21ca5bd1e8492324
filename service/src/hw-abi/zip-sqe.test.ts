import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { goldenLayout } from '../../test/support/golden.ts';
import { getAddress, getField } from './field.ts';
import {
  BUFFER_TYPE,
  CTX,
  CTX_STATE,
  FLUSH,
  MAX_FLAT_BYTES,
  MIN_STATEFUL_OUTPUT_BYTES,
  REQUEST_TYPE,
  SQE,
  SQE_BYTES,
  SQE_OUT_WORDS,
  SQE_WORDS,
  STATUS,
  STREAM_CONTEXT_BYTES,
  STREAM_CONTEXT_HW_OFFSET,
  WINDOW_BYTES,
} from './zip-sqe.ts';

/** Every number of this file is typed from reference/sources.md 6, not from the source beside it. */
describe('SQE (sources.md 6.1)', () => {
  it('is 128 bytes, 32 words', () => {
    assert.equal(SQE_BYTES, 128);
    assert.equal(SQE_WORDS, 32);
  });
  goldenLayout(128, SQE, {
    consumed: [0, 0xffffffff],
    produced: [1, 0xffffffff],
    compDataLength: [2, 0xffffffff],
    status: [3, 0x000000ff],
    lastBlock: [3, 0x00000100],
    inputDataLength: [4, 0xffffffff],
    lba: [5],
    inSgeDataOffset: [7, 0x00ffffff],
    flush: [7, 0x02000000],
    streamMode: [7, 0x04000000],
    streamNew: [7, 0x08000000],
    sqeType: [7, 0xf0000000],
    outSgeDataOffset: [8, 0x00ffffff],
    requestType: [9, 0x000000ff],
    bufferType: [9, 0x00000f00],
    window: [9, 0x0000f000],
    difGenerate: [10, 0xffffffff],
    level: [11, 0x0000000f],
    difVerify: [12, 0xffffffff],
    dw13: [13, 0xffffffff],
    coreTag: [13, 0x000000ff],
    coreTagV2: [26, 0x000000ff],
    destAvailOut: [14, 0xffffffff],
    ctxDw0: [15, 0xffffffff],
    compHead: [16],
    source: [18],
    destination: [20],
    streamContext: [22],
    literals: [24],
    dw26: [26, 0xffffffff],
    dw27: [27, 0xffffffff],
    ctxDw1: [28, 0xffffffff],
    ctxDw2: [29, 0xffffffff],
    isize: [30, 0xffffffff],
    checksum: [31, 0xffffffff],
  });
  it('reads a descriptor that was written by hand byte for byte', () => {
    const raw = new DataView(new ArrayBuffer(128));
    raw.setUint32(0x00, 1000, true); // dw0 consumed
    raw.setUint32(0x04, 345, true); // dw1 produced
    raw.setUint32(0x0c, 0x0000_0113, true); // dw3 status 0x13, last block
    raw.setUint32(0x10, 65536, true); // dw4
    raw.setUint32(0x1c, 0x3e00_0000, true); // dw7 type 3, new, stateful, finish
    raw.setUint32(0x24, 0x0000_4003, true); // dw9 window 4, flat, gzip
    raw.setUint32(0x38, 0x0080_0000, true); // dw14
    raw.setUint32(0x48, 0x1234_5000, true); // dw18 source low
    raw.setUint32(0x4c, 0x0000_7f00, true); // dw19 source high
    raw.setUint32(0x50, 0x9abc_d000, true); // dw20
    raw.setUint32(0x54, 0x0000_7f01, true); // dw21
    raw.setUint32(0x68, 0xcafe_0001, true); // dw26 tag
    raw.setUint32(0x7c, 0xdead_beef, true); // dw31
    const words = new Uint32Array(raw.buffer);
    const read = (name: 'consumed' | 'produced' | 'status' | 'lastBlock' | 'inputDataLength' | 'sqeType') =>
      getField(words, 0, SQE[name]);
    assert.equal(read('consumed'), 1000);
    assert.equal(read('produced'), 345);
    assert.equal(read('status'), 0x13);
    assert.equal(read('lastBlock'), 1);
    assert.equal(read('inputDataLength'), 65536);
    assert.equal(read('sqeType'), 3);
    assert.equal(getField(words, 0, SQE.streamNew), 1);
    assert.equal(getField(words, 0, SQE.streamMode), 1);
    assert.equal(getField(words, 0, SQE.flush), 1);
    assert.equal(getField(words, 0, SQE.requestType), 3);
    assert.equal(getField(words, 0, SQE.bufferType), 0);
    assert.equal(getField(words, 0, SQE.window), 4);
    assert.equal(getField(words, 0, SQE.destAvailOut), 8 * 1024 * 1024);
    assert.equal(getAddress(words, 0, SQE.source), 0x7f0012345000);
    assert.equal(getAddress(words, 0, SQE.destination), 0x7f019abcd000);
    assert.equal(getField(words, 0, SQE.dw26), 0xcafe0001);
    assert.equal(getField(words, 0, SQE.checksum), 0xdeadbeef);
  });
});

describe('SQE_OUT_WORDS', () => {
  it('lists dw0–3, dw13, dw15 and dw28–31 (sources.md 6.9 step 6)', () => {
    assert.deepEqual([...SQE_OUT_WORDS], [0, 1, 2, 3, 13, 15, 28, 29, 30, 31]);
  });
});

describe('REQUEST_TYPE (sources.md 6.2)', () => {
  it('has deflate 0x01', () => assert.equal(REQUEST_TYPE.deflate, 0x01));
  it('has zlib 0x02', () => assert.equal(REQUEST_TYPE.zlib, 0x02));
  it('has gzip 0x03', () => assert.equal(REQUEST_TYPE.gzip, 0x03));
  it('has LZ4, not lz77_zstd, at 0x04', () => assert.equal(REQUEST_TYPE.lz4, 0x04));
});

describe('request encodings (sources.md 6.3)', () => {
  it('has flat buffers 0', () => assert.equal(BUFFER_TYPE.flat, 0));
  it('has scatter lists 1', () => assert.equal(BUFFER_TYPE.sgl, 1));
  it('has sync flush 0', () => assert.equal(FLUSH.sync, 0));
  it('has finish 1', () => assert.equal(FLUSH.finish, 1));
  it('has windows 0–4 of 4, 8, 16, 24 and 32 KiB', () =>
    assert.deepEqual([...WINDOW_BYTES], [4096, 8192, 16384, 24576, 32768]));
});

describe('STATUS (sources.md 6.4)', () => {
  it('has ok 0x00', () => assert.equal(STATUS.ok, 0x00));
  it('has negative compression 0x0d', () => assert.equal(STATUS.negativeCompression, 0x0d));
  it('has exhausted output 0x0e', () => assert.equal(STATUS.outputExhausted, 0x0e));
  it('has the source DIF error 0x0f', () => assert.equal(STATUS.sourceDif, 0x0f));
  it('has the checksum error 0x10', () => assert.equal(STATUS.checksum, 0x10));
  it('has the destination DIF error 0x12', () => assert.equal(STATUS.destinationDif, 0x12));
  it('has the end of decompression 0x13', () => assert.equal(STATUS.decompressionEnd, 0x13));
  it('has the bus error 0x41', () => assert.equal(STATUS.busError, 0x41));
  it('keeps the emulator’s own codes apart from all published ones', () => {
    assert.deepEqual([STATUS.badRequest, STATUS.corruptData, STATUS.coreFailure], [0x02, 0x03, 0x42]);
    assert.equal(new Set(Object.values(STATUS)).size, Object.keys(STATUS).length);
  });
});

describe('CTX (sources.md 6.5)', () => {
  goldenLayout(128, CTX, {
    state: [15, 0x0000000f],
    finalBlockSeen: [15, 0x00000080],
    headerBits: [15, 0x0000fc00],
    dataEnded: [15, 0x00010000],
    storedLeft: [28, 0x0007ffff],
    windowLength: [29, 0x0000ffff],
  });
});

describe('CTX_STATE (sources.md 6.5)', () => {
  it('has 1 for the last block without space', () => assert.equal(CTX_STATE.lastBlockNoSpace, 1));
  it('has 2 for inflate without space', () => assert.equal(CTX_STATE.inflateNoSpace, 2));
  it('has 3 for a block not started', () => assert.equal(CTX_STATE.blockNotStarted, 3));
  it('has 0 for none', () => assert.equal(CTX_STATE.none, 0));
});

describe('sizes (sources.md 6.6, 6.8)', () => {
  it('has stream contexts of 64 KiB', () => assert.equal(STREAM_CONTEXT_BYTES, 65536));
  it('gives the hardware its context from byte 64', () => assert.equal(STREAM_CONTEXT_HW_OFFSET, 64));
  it('needs 200 bytes of output in a stateful job', () => assert.equal(MIN_STATEFUL_OUTPUT_BYTES, 200));
  it('has flat buffers of at most 8 MiB', () => assert.equal(MAX_FLAT_BYTES, 8388608));
});
