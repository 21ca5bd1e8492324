import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { iova } from '../../shared/src/units.ts';
import { writeScatterList } from '../src/driver/zip/scatter-list.ts';
import { jsonLines, mixed, noise } from './support/corpus.ts';
import { withCode } from './support/errors.ts';
import { ZipClient } from './support/zip-client.ts';

const HEADER = Buffer.from('1f8b08000000000000ff', 'hex');
let client: ZipClient;
before(async () => {
  client = await ZipClient.open();
});
after(() => client.close());

describe('scatter lists through a queue', () => {
  it('give the same bytes as flat buffers, at every number of pieces and heads', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60_000 }),
        fc.nat(),
        fc.integer({ min: 1, max: 256 }),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 9 }),
        (bytes, seed, pieces, perHead, level) => {
          const input = mixed(bytes, seed);
          const room = { destinationBytes: 80_000, level };
          const flat = client.run('compress', input, room);
          const listed = client.run('compress', input, { ...room, pieces, perHead });
          assert.equal(listed.status, flat.status);
          assert.ok(listed.output.equals(flat.output));
          assert.ok(gunzipSync(Buffer.concat([HEADER, listed.output])).equals(input));
          const back = client.run('decompress', flat.output, {
            destinationBytes: bytes + 300,
            pieces,
            perHead,
          });
          assert.equal(back.outcome, 'end');
          assert.ok(back.output.equals(input));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('carry stateful streams in both directions', () => {
    const input = jsonLines(50_000);
    const packing = client.newStream();
    const parts: Buffer[] = [];
    for (let at = 0; at < input.length; at += 5000) {
      const piece = input.subarray(at, at + 5000);
      const isFinal = at + 5000 >= input.length;
      parts.push(client.run('compress', piece, { pieces: 7, stream: packing, isFinal }).output);
    }
    const member = Buffer.concat(parts);
    assert.ok(gunzipSync(Buffer.concat([HEADER, member])).equals(input));
    const unpacking = client.newStream();
    const out: Buffer[] = [];
    for (let at = 0, outcome = 'ok'; outcome !== 'end'; ) {
      const done = client.run('decompress', member.subarray(at, at + 900), {
        pieces: 5,
        stream: unpacking,
        destinationBytes: 4000,
      });
      at += done.consumed;
      outcome = done.outcome;
      out.push(done.output);
    }
    assert.ok(Buffer.concat(out).equals(input));
  });

  it('start at the data offsets of dw7 and dw8', () => {
    const input = jsonLines(10_000);
    const done = client.run('compress', input, {
      pieces: 9,
      sourceBytes: 10_000 - 3333,
      destinationBytes: 30_000,
      lists: { sourceOffset: 3333, destinationOffset: 0 },
    });
    assert.ok(gunzipSync(Buffer.concat([HEADER, done.output])).equals(input.subarray(3333)));
    const shifted = client.run('compress', input, {
      pieces: 9,
      destinationBytes: 30_000,
      lists: { sourceOffset: 0, destinationOffset: 17 },
    });
    const alone = client.run('compress', input, { destinationBytes: 30_000 });
    client.run('compress', input, {
      pieces: 1,
      destinationBytes: 30_000,
      lists: { sourceOffset: 0, destinationOffset: 17 },
    });
    const at17 = Buffer.from(client.destination.bytes.subarray(17, 17 + alone.produced));
    assert.ok(at17.equals(alone.output));
    assert.equal(shifted.produced, alone.produced);
  });

  it('write nowhere but in the list’s own pieces', () => {
    const input = mixed(20_000, 4);
    client.destination.bytes.fill(0xa5);
    const done = client.run('compress', input, { pieces: 50, destinationBytes: 30_000 });
    const piece = Math.ceil(30_000 / 50);
    for (let index = 0; index < 49; index++) {
      const gap = client.destination.bytes.subarray((index + 1) * piece + index * 40).subarray(0, 40);
      assert.ok(
        gap.every((byte) => byte === 0xa5),
        `gap ${index}`,
      );
    }
    assert.ok(done.produced > 0);
  });

  it('are bounded by the room of the list when dest_avail_out says more', () => {
    const memory = client.process.allocate(4096);
    const input = noise(20_000, 5);
    client.source.bytes.set(input);
    const source = writeScatterList(memory, [{ address: client.source.address, bytes: 20_000 }], 1);
    const second = client.process.allocate(4096);
    const entry = { address: client.destination.address, bytes: 500 };
    const destination = writeScatterList(second, [entry], 1);
    client.destination.bytes.fill(0x77);
    const done = client.submit('compress', {
      ...{ format: 'gzip', level: 1, isFinal: true, sourceBytes: 20_000, destinationBytes: 100_000 },
      ...{ source, destination, lists: { sourceOffset: 0, destinationOffset: 0 } },
    });
    assert.equal(done.status, 0x0e);
    assert.ok(client.destination.bytes.subarray(500, 100_000).every((byte) => byte === 0x77));
  });
});

describe('bad scatter lists', () => {
  /** A good list whose head or first entry is then changed; `at` in bytes, `value` of 16, 32 or 64 bits. */
  const run = (change: (view: DataView, base: number) => void, perHead = 3) => {
    const memory = client.process.allocate(64 * 1024);
    const entries = [0, 1, 2, 3, 4].map((i) => ({
      address: iova(client.source.address + i * 5000),
      bytes: 4000,
    }));
    const source = writeScatterList(memory, entries, perHead);
    const { buffer, byteOffset, length } = memory.bytes;
    change(new DataView(buffer, byteOffset, length), memory.address);
    const target = client.process.allocate(4096);
    const destination = writeScatterList(target, [{ address: client.destination.address, bytes: 90_000 }], 1);
    const lists = { sourceOffset: 0, destinationOffset: 0 };
    const good = {
      format: 'gzip',
      level: 1,
      isFinal: true,
      sourceBytes: 20_000,
      destinationBytes: 90_000,
    } as const;
    return client.submit('compress', { ...good, source, destination, lists }).status;
  };
  const cases: [string, number, (view: DataView, base: number) => void][] = [
    ['a good one', 0x00, () => {}],
    ['a head without entries', 0x02, (view) => view.setUint16(10, 0, true)],
    ['more entries than the head has room for', 0x02, (view) => view.setUint16(10, 4, true)],
    ['a head for more than 255 entries', 0x02, (view) => view.setUint16(12, 256, true)],
    ['an entry of no bytes', 0x02, (view) => view.setUint32(64 + 16, 0, true)],
    ['an entry of more than 8 MiB', 0x02, (view) => view.setUint32(64 + 16, (8 << 20) + 1, true)],
    ['less data than the input length', 0x02, (view) => view.setUint32(64 + 16, 3999, true)],
    ['a chain that ends early', 0x02, (view) => view.setUint32(0, 0, true)],
    [
      'a next head at an odd address',
      0x02,
      (view, base) => view.setUint32(0, ((base + 192 + 8) % 2 ** 32) >>> 0, true),
    ],
    ['a next head that is not mapped', 0x41, (view) => view.setUint32(4, 0x7abc, true)],
    ['an entry whose data is not mapped', 0x41, (view) => view.setUint32(64 + 4, 0x7abc, true)],
    [
      'a chain that leads back to itself, of entries too small to fill the input',
      0x02,
      (view, base) => {
        view.setUint32(0, base % 2 ** 32, true);
        for (let entry = 0; entry < 3; entry++) view.setUint32(64 + entry * 32 + 16, 1, true);
      },
    ],
  ];
  for (const [name, status, change] of cases)
    it(`${name}: status 0x${status.toString(16).padStart(2, '0')}`, () => assert.equal(run(change), status));

  it('are refused by the driver before the device sees them', () => {
    const memory = client.process.allocate(4096);
    const entry = { address: client.source.address, bytes: 1 };
    const refused = (entries: { address: typeof entry.address; bytes: number }[], perHead?: number) =>
      assert.throws(() => writeScatterList(memory, entries, perHead), withCode('WD_E_EINVAL'));
    refused([]);
    refused([{ ...entry, bytes: 0 }]);
    refused([{ ...entry, bytes: (8 << 20) + 1 }]);
    refused([entry], 0);
    refused([entry], 256);
    refused(Array(300).fill(entry));
    const offset = { sourceOffset: 1 << 24, destinationOffset: 0 };
    assert.throws(
      () => client.run('compress', gzipSync('x'), { pieces: 1, lists: offset }),
      withCode('WD_E_EINVAL', /24 bits/),
    );
  });
});
