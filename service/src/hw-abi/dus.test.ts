import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DUS_BYTES,
  DUS_CQ_OFFSET,
  DUS_RX_STOP_OFFSET,
  DUS_SQ_OFFSET,
  DUS_TX_STOP_OFFSET,
  MMIO_BYTES,
} from './dus.ts';

describe('device user share (sources.md 4.4)', () => {
  it('starts with the SQ', () => assert.equal(DUS_SQ_OFFSET, 0));
  it('has the CQ behind 1024 SQEs of 128 bytes', () => assert.equal(DUS_CQ_OFFSET, 131072));
  it('is 147456 bytes of rings and one page', () => assert.equal(DUS_BYTES, 151552));
  it('has tx_stop in its last word', () => assert.equal(DUS_TX_STOP_OFFSET, 151548));
  it('has rx_stop in the word before', () => assert.equal(DUS_RX_STOP_OFFSET, 151544));
});

describe('MMIO region (sources.md 4.4)', () => {
  it('is a page and 0x1000 bytes, as V2 without doorbell isolation', () => assert.equal(MMIO_BYTES, 8192));
});
