import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { physAddr } from '../../../shared/src/units.ts';
import { readProcess } from '../platform/libc.ts';
import { PhysicalMemory } from '../platform/physical-memory.ts';
import { reachableMemory } from './reachable-memory.ts';

const MIB = 1024 * 1024;

describe('reachableMemory', () => {
  const memory = new PhysicalMemory(8 * MIB);
  it('leaves RAM and other processes’ memory as they are', () => {
    const extents = [
      { address: physAddr(4096), bytes: 8192 },
      { address: physAddr(0x7f00_0000_0000), bytes: 10, pid: 4711 },
    ];
    assert.equal(reachableMemory(extents, memory), extents);
  });
  it('turns a window into this process’s own memory', { skip: process.platform !== 'linux' }, () => {
    const buffer = new ArrayBuffer(8192);
    new Uint8Array(buffer).fill(0x5a);
    const window = memory.addWindow(buffer);
    const [extent] = reachableMemory([{ address: physAddr(window + 100), bytes: 8092 }], memory) ?? [];
    assert.deepEqual([extent?.pid, extent?.bytes], [process.pid, 8092]);
    const copy = Buffer.alloc(8092);
    assert.deepEqual(readProcess(process.pid, extent!.address, copy), { ok: true });
    assert.ok(copy.every((byte) => byte === 0x5a));
    assert.equal(reachableMemory([{ address: physAddr(window + 100), bytes: 8093 }], memory), undefined);
    memory.dropWindow(window);
    assert.equal(reachableMemory([{ address: window, bytes: 1 }], memory), undefined);
  });
  it('refuses addresses beyond RAM, at its end and far away', () => {
    const end = memory.wasm.buffer.byteLength;
    assert.ok(reachableMemory([{ address: physAddr(end - 1), bytes: 1 }], memory));
    for (const [address, bytes] of [
      [end - 1, 2],
      [2 ** 33, 1],
      [2 ** 41, 1],
      [2 ** 47, 1],
    ] as const)
      assert.equal(
        reachableMemory([{ address: physAddr(address), bytes }], memory),
        undefined,
        String(address),
      );
  });
});
