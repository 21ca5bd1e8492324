import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pasid, streamId } from '../../../../shared/src/units.ts';
import { eventWords, FAULT_EVENTS, type FaultRecord, faultSnapshot, kernelLine } from './fault-record.ts';

const record = (changes: Partial<FaultRecord>): FaultRecord => ({
  seq: 7,
  atMs: 1000,
  event: 'F_TRANSLATION',
  streamId: streamId(0x7500),
  pasid: pasid(0),
  iova: 0,
  access: 'write',
  domainKind: 'sva',
  ...changes,
});

describe('FAULT_EVENTS (sources.md 8.5)', () => {
  it('has C_BAD_SUBSTREAMID 0x08', () => assert.equal(FAULT_EVENTS.C_BAD_SUBSTREAMID.id, 0x08));
  it('has F_TRANSLATION 0x10', () => assert.equal(FAULT_EVENTS.F_TRANSLATION.id, 0x10));
  it('has F_PERMISSION 0x13', () => assert.equal(FAULT_EVENTS.F_PERMISSION.id, 0x13));
});

describe('eventWords', () => {
  it('makes the record of the ATL2 log (sources.md 8.6, first vector)', () => {
    assert.deepEqual(eventWords(record({ streamId: streamId(0x20600), iova: 0xff9bc000 })), [
      0x0002060000000010n,
      0x0000020000000000n,
      0x00000000ff9bc000n,
      0n,
    ]);
  });
  it('makes the record of the dw_pcie_ep log (sources.md 8.6, second vector)', () => {
    assert.deepEqual(eventWords(record({ streamId: streamId(0x100), iova: 0x90000f040 })), [
      0x0000010000000010n,
      0x0000020000000000n,
      0x000000090000f040n,
      0n,
    ]);
  });
  it('makes the record of the r8169 log but for its privileged bit (sources.md 8.6, third vector)', () => {
    const words = eventWords(record({ streamId: streamId(0x11), iova: 0x9b0cc000, access: 'read' }));
    assert.deepEqual(words, [0x0000001100000010n, 0x0000020800000000n, 0x000000009b0cc000n, 0n]);
  });
  it('sets SSV and the SubstreamID for traffic with a PASID', () => {
    const [word0] = eventWords(record({ pasid: pasid(0xabcd), event: 'F_PERMISSION' }));
    assert.equal(word0, 0x000075000abcd813n);
  });
  it('carries no address and no attributes for C_BAD_SUBSTREAMID', () => {
    const words = eventWords(
      record({ event: 'C_BAD_SUBSTREAMID', pasid: pasid(1), iova: 0x1000, access: 'read' }),
    );
    assert.deepEqual(words, [0x0000750000001808n, 0n, 0n, 0n]);
  });
});

describe('kernelLine', () => {
  const fault = record({ pasid: pasid(0x2a), iova: 0x7f0000001000, access: 'read' });
  it('is the decoded form of a current driver for an admin', () => {
    assert.equal(
      kernelLine(fault, '0000:75:00.0', true),
      'arm-smmu-v3: event: F_TRANSLATION client: 0000:75:00.0 sid: 0x7500 ssid: 0x2a iova: 0x7f0000001000 ' +
        'ipa: 0x0 unpriv data read s1 "Input address caused fault" stag: 0x0',
    );
  });
  it('hides the ssid from everyone else', () => {
    const line = kernelLine(fault, '0000:75:00.0', false);
    assert.match(line, /ssid: hidden /);
    assert.doesNotMatch(line, /0x2a\b/);
  });
  it('ends after the ssid for C_BAD_SUBSTREAMID, which has no address and no attributes', () => {
    assert.equal(
      kernelLine(record({ event: 'C_BAD_SUBSTREAMID', pasid: pasid(3) }), '0000:75:00.0', true),
      'arm-smmu-v3: event: C_BAD_SUBSTREAMID client: 0000:75:00.0 sid: 0x7500 ssid: 0x3',
    );
  });
});

describe('faultSnapshot', () => {
  const where = { device: 'hisi_zip-0', bdf: '0000:75:00.0', owner: { pid: 12, name: 'client' } };
  it('shows device, address in hex, access, reason, advice and owner', () => {
    const shown = faultSnapshot(record({ pasid: pasid(9), iova: 0x1000 }), where);
    assert.equal(shown.device, 'hisi_zip-0');
    assert.equal(shown.iova, '0x000000001000');
    assert.equal(shown.access, 'write');
    assert.equal(shown.event, 'F_TRANSLATION');
    assert.equal(shown.reason, 'the address is not mapped');
    assert.deepEqual(shown.owner, { pid: 12, name: 'client' });
    assert.ok(shown.advice.length > 20);
  });
  it('contains the PASID nowhere for those who are not admin', () => {
    const shown = faultSnapshot(record({ pasid: pasid(0xbeef) }), where);
    assert.equal('pasid' in shown, false);
    assert.doesNotMatch(JSON.stringify(shown), /beef|48879/i);
    assert.equal(faultSnapshot(record({ pasid: pasid(0xbeef) }), where, true).pasid, 0xbeef);
  });
});
