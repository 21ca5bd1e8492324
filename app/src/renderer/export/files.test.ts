import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MonitorStore } from '../store/monitor-store.ts';
import { faultOf, sampleOf, snapshotOf } from '../store/test-data.ts';
import { exportFaultsCsv, exportFaultsJson, exportHistory } from './files.ts';

const read = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes);

describe('exportHistory', () => {
  it('writes the readings in sight, with ISO times and units in the header', () => {
    const store = new MonitorStore();
    store.apply(snapshotOf());
    for (let i = 1; i <= 8; i++) store.apply(sampleOf(10_000 + i * 250, { bytesIn: i * 1_000 }));
    const file = exportHistory(store.history, { fromMs: 11_000, toMs: 11_500, isZoomed: false });
    const [header, ...lines] = read(file).trim().split('\r\n');
    assert.match(header ?? '', /^time,in_bytes_per_second,out_bytes_per_second,compression_ratio,/);
    assert.deepEqual(
      lines.map((line) => line.split(',').slice(0, 2)),
      [
        ['1970-01-01T00:00:11.000Z', '4000'],
        ['1970-01-01T00:00:11.250Z', '4000'],
        ['1970-01-01T00:00:11.500Z', '4000'],
      ],
    );
    assert.equal(file.name, 'warpdrive-figures-1970-01-01T00-00-11.csv');
  });
});

describe('exportFaults', () => {
  it('writes one fault a line, as CSV and as JSON lines', () => {
    const faults = [faultOf(1), faultOf(2)];
    assert.equal(read(exportFaultsCsv(faults, 0)).trim().split('\r\n').length, 3);
    const lines = read(exportFaultsJson(faults, 0)).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      faults,
    );
  });
});
