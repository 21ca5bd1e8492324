/** Devices with one queue and data for it. */
import { DeviceRig, type SqeFields } from './device-rig.ts';

export const TEXT = Buffer.from(
  Array.from({ length: 400 }, (_, i) => `record ${i % 37} of a queue test\n`).join(''),
);

/** Noise that DEFLATE cannot shrink. */
export function noise(bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  let state = 0x2545f491;
  for (let i = 0; i < bytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state;
  }
  return out;
}

export const GZIP_HEADER = Buffer.from('1f8b08000000000000ff', 'hex');

export function compressRig(core: 'wasm' | 'zlib' = 'wasm') {
  const rig = new DeviceRig({ core });
  const queue = rig.startQueue(3);
  const destination = rig.place(new Uint8Array(0), 0x10000);
  const fields = (changes: SqeFields = {}): SqeFields => ({
    source: rig.place(TEXT),
    bytes: TEXT.length,
    destination,
    ...changes,
  });
  const output = (slot: number): Buffer => rig.read(destination, queue.sqe(slot)[1]!);
  return { rig, queue, fields, output, destination };
}

export function decompressRig() {
  const rig = new DeviceRig({ core: 'wasm' });
  const queue = rig.startQueue(4, { operation: 'decompress' });
  const destination = rig.place(new Uint8Array(0), 0x10000);
  const submit = (data: Uint8Array, changes: SqeFields = {}): number =>
    queue.submit({ source: rig.place(data), bytes: data.length, destination, ...changes });
  return { rig, queue, submit, destination };
}
