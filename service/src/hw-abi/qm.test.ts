import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { goldenLayout } from '../../test/support/golden.ts';
import {
  AEQ_DEPTH,
  AEQE,
  AEQE_TYPE,
  CQC,
  CQC_BYTES,
  CQE,
  CQE_BYTES,
  CQE_WORDS,
  DOORBELL,
  DOORBELL_COMMAND,
  DOORBELL_OFFSET,
  doorbellHigh,
  doorbellLow,
  EQ_DEPTH,
  EQC,
  EQC_BYTES,
  EQE,
  EVENT_DOORBELL_OFFSET,
  MAILBOX,
  MAILBOX_COMMAND,
  MAILBOX_OFFSET,
  MAX_PRIORITY,
  QUEUE_DEPTH,
  SQC,
  SQC_BYTES,
  USABLE_DEPTH,
} from './qm.ts';

/** Every number of this file is typed from reference/sources.md 5, not from the source beside it. */
describe('ring sizes (sources.md 5.1)', () => {
  it('has rings of 1024 entries', () => assert.equal(QUEUE_DEPTH, 1024));
  it('uses one entry less', () => assert.equal(USABLE_DEPTH, 1023));
  it('has priorities of 4 bits', () => assert.equal(MAX_PRIORITY, 15));
});

describe('CQE (sources.md 5.4)', () => {
  it('is 16 bytes, 4 words', () => assert.deepEqual([CQE_BYTES, CQE_WORDS], [16, 4]));
  goldenLayout(16, CQE, {
    cmdId: [1, 0x0000ffff], // bytes 4–5
    sqHead: [2, 0x0000ffff], // bytes 8–9
    sqNum: [2, 0xffff0000], // bytes 10–11
    phase: [3, 0x00010000], // bytes 14–15, bit 0
  });
});

describe('DOORBELL (sources.md 5.3)', () => {
  goldenLayout(8, DOORBELL, {
    queue: [0, 0x000003ff],
    command: [0, 0x0000f000],
    random: [0, 0xffff0000],
    index: [1, 0x0000ffff], // [47:32]
    priority: [1, 0xffff0000], // [63:48]
  });
  it('lies at 0x1000 for SQ and CQ', () => assert.equal(DOORBELL_OFFSET, 0x1000));
  it('lies at 0x2000 for EQ and AEQ', () => assert.equal(EVENT_DOORBELL_OFFSET, 0x2000));
});

describe('DOORBELL_COMMAND (sources.md 5.3)', () => {
  it('has SQ 0', () => assert.equal(DOORBELL_COMMAND.sq, 0));
  it('has CQ 1', () => assert.equal(DOORBELL_COMMAND.cq, 1));
  it('has EQ 2', () => assert.equal(DOORBELL_COMMAND.eq, 2));
  it('has AEQ 3', () => assert.equal(DOORBELL_COMMAND.aeq, 3));
});

describe('doorbellLow', () => {
  it('places queue and command', () => {
    assert.equal(doorbellLow(0x3ff, 0), 0x000003ff);
    assert.equal(doorbellLow(5, 1), 0x00001005);
    assert.equal(doorbellLow(0x2a7, 3), 0x000032a7);
  });
});

describe('doorbellHigh', () => {
  it('places index and priority', () => {
    assert.equal(doorbellHigh(1023, 0), 0x000003ff);
    assert.equal(doorbellHigh(1, 15), 0x000f0001);
    assert.equal(doorbellHigh(0, 0xffff), 0xffff0000);
  });
});

describe('SQC (sources.md 5.5)', () => {
  it('is 32 bytes', () => assert.equal(SQC_BYTES, 32));
  goldenLayout(32, SQC, {
    head: [0, 0x0000ffff],
    tail: [0, 0xffff0000],
    base: [1],
    depthMinusOne: [3, 0x00000fff],
    log2SqeBytes: [3, 0x0000f000],
    random: [4, 0x0000ffff], // w8
    pasid: [5, 0x0000ffff],
    pasidEnable: [5, 0x00800000], // w11 bit 7
    cqNumber: [6, 0x0000ffff],
    priority: [6, 0x000f0000], // w13 [3:0]
    orders: [6, 0x00100000], // w13 bit 4
    algorithmType: [6, 0x0f000000], // w13 [11:8]
  });
});

describe('CQC (sources.md 5.5)', () => {
  it('is 32 bytes', () => assert.equal(CQC_BYTES, 32));
  goldenLayout(32, CQC, {
    head: [0, 0x0000ffff],
    tail: [0, 0xffff0000],
    base: [1],
    depthMinusOne: [3, 0x00000fff],
    log2CqeBytes: [3, 0x0000f000],
    pasid: [5, 0x0000ffff],
    pasidEnable: [5, 0x00010000], // w11 bit 0
    phase: [6, 0x00000001],
    interruptEnable: [6, 0x00000002],
  });
});

describe('EQC (sources.md 5.5)', () => {
  it('is 32 bytes', () => assert.equal(EQC_BYTES, 32));
  goldenLayout(32, EQC, {
    head: [0, 0x0000ffff],
    tail: [0, 0xffff0000],
    base: [1],
    depthMinusOne: [7, 0x0000ffff], // dw6 of the struct, after dw3 and two reserved words
    phase: [7, 0x00010000],
  });
});

describe('EQE and AEQE (sources.md 5.2)', () => {
  goldenLayout(4, EQE, { queue: [0, 0x0000ffff], phase: [0, 0x00010000] });
  goldenLayout(4, AEQE, { queue: [0, 0x0000ffff], phase: [0, 0x00010000], type: [0, 0xfffe0000] });
  it('has 2048 and 1024 entries', () => assert.deepEqual([EQ_DEPTH, AEQ_DEPTH], [2048, 1024]));
  it('has types 0 CQ overflow, 1 EQ overflow, 2 CQE error', () =>
    assert.deepEqual({ ...AEQE_TYPE }, { cqOverflow: 0, eqOverflow: 1, cqeError: 2 }));
});

describe('MAILBOX (sources.md 5.6)', () => {
  it('lies at 0x300', () => assert.equal(MAILBOX_OFFSET, 0x300));
  goldenLayout(16, MAILBOX, {
    command: [0, 0x000000ff],
    status: [0, 0x00001e00],
    busy: [0, 0x00002000],
    op: [0, 0x00004000],
    queue: [0, 0xffff0000],
    base: [1], // 0x304, 0x308
  });
});

describe('MAILBOX_COMMAND (sources.md 5.6)', () => {
  const golden = {
    sqc: 0,
    cqc: 1,
    eqc: 2,
    aeqc: 3,
    sqcBt: 4,
    cqcBt: 5,
    sqcVft: 6,
    stopQp: 8,
    src: 12,
    dst: 13,
  };
  for (const [name, value] of Object.entries(golden))
    it(`has ${name} ${value}`, () => assert.equal(Object(MAILBOX_COMMAND)[name], value));
  it('has no others', () => assert.deepEqual({ ...MAILBOX_COMMAND }, golden));
});
