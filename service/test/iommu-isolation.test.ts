import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Iova,
  iova,
  PAGE_BYTES,
  type Pasid,
  type PhysAddr,
  physAddr,
  streamId,
} from '../../shared/src/units.ts';
import { Dma } from '../src/emulator/engine/dma.ts';
import { AddressSpace, type Permissions } from '../src/kernel/iommu/address-space.ts';
import { Iommu } from '../src/kernel/iommu/iommu.ts';
import type { Access } from '../src/kernel/iommu/translator.ts';
import { PhysicalMemory } from '../src/platform/physical-memory.ts';
import { noise, randomFrom } from './support/corpus.ts';
import { withCode } from './support/errors.ts';
import { FakeClock } from './support/fake-clock.ts';

const STREAMS = [streamId(0x7500), streamId(0xb500)] as const;
const RAM_BYTES = 4 * 1024 * 1024;
const SPACES = 4;
/** Addresses that all spaces use, so that the same address means different memory. */
const FIRST_PAGE = 0x10;
const PAGES = 24;
const MAX_ACCESS_BYTES = 3 * PAGE_BYTES;
const ZEROS = new Uint8Array(MAX_ACCESS_BYTES);
const NOISE = noise(2 * MAX_ACCESS_BYTES);
const STEPS = 120_000;
const STEPS_BETWEEN_AUDITS = 4000;

interface Mapping {
  readonly page: number;
  readonly frames: PhysAddr;
  readonly permissions: Permissions;
  /** What the owner believes is there: nobody else may have changed it. */
  readonly bytes: Uint8Array;
}

interface User {
  readonly space: AddressSpace;
  readonly mappings: Mapping[];
  readonly stream: (typeof STREAMS)[number];
  pasid: Pasid;
  binds: number;
}

/** A device that moves bytes by the engine's own DMA, users whose mappings come and go, and the plain model of both. */
class Machine {
  readonly memory = new PhysicalMemory(RAM_BYTES);
  readonly iommu = new Iommu(new FakeClock(), 'stall', { iotlbEntries: 16 });
  readonly users: User[];
  readonly counts = { moved: 0, refused: 0, framesReused: 0 };
  private readonly dma: Dma;
  private readonly staging;
  private readonly usedFrames = new Set<PhysAddr>();

  constructor(private readonly random: (below: number) => number) {
    const all = RAM_BYTES - PAGE_BYTES; // frame 0 is nobody's
    this.memory.release(this.memory.allocate(all), all);
    this.dma = new Dma(this.memory.view(physAddr(0), RAM_BYTES));
    this.staging = { offset: this.memory.allocate(MAX_ACCESS_BYTES), bytes: MAX_ACCESS_BYTES };
    this.users = Array.from({ length: SPACES }, (_, i) => ({
      space: new AddressSpace(i % 2 === 0 ? 'private' : 'sva'),
      mappings: [],
      stream: STREAMS[i % 3 === 2 ? 1 : 0],
      pasid: 0 as Pasid,
      binds: 0,
    }));
  }

  step(): void {
    const user = this.users[this.random(SPACES)];
    assert.ok(user);
    const kind = this.random(16);
    if (kind < 3) this.map(user);
    else if (kind === 3) this.unmap(user);
    else if (kind === 5) this.bind(user);
    else if (kind === 6) this.unbind(user);
    else this.access(user);
  }

  /** Every mapping of every user holds what its owner believes, byte by byte. */
  audit(): void {
    for (const { mappings } of this.users)
      for (const { frames, bytes } of mappings)
        assert.equal(
          Buffer.compare(this.memory.view(frames, bytes.length), bytes),
          0,
          "memory changed behind its owner's back",
        );
  }

  private map(user: User): void {
    const [page, pages] = [FIRST_PAGE + this.random(PAGES), 1 + this.random(3)];
    const permissions = { read: this.random(8) > 0, write: this.random(8) > 0 };
    const frames = this.memory.allocate(pages * PAGE_BYTES);
    const isPopulated = user.space.kind === 'private' || this.random(2) === 0;
    const map = () => user.space.map(at(page), frames, pages * PAGE_BYTES, permissions, isPopulated);
    if (user.mappings.some((other) => page < endOf(other) && other.page < page + pages)) {
      assert.throws(map, withCode('WD_E_EEXIST'));
      this.memory.release(frames, pages * PAGE_BYTES);
      return;
    }
    const view = this.memory.view(frames, pages * PAGE_BYTES);
    assert.equal(
      Buffer.compare(view, ZEROS.subarray(0, view.length)),
      0,
      'a new owner reads what the last one left',
    );
    if (this.usedFrames.has(frames)) this.counts.framesReused++;
    this.usedFrames.add(frames);
    map();
    view.fill(1 + this.random(255)); // the process's own stores need no IOMMU
    user.mappings.push({ page, frames, permissions, bytes: Uint8Array.from(view) });
  }

  private unmap(user: User): void {
    const [mapping] = user.mappings.splice(this.random(Math.max(1, user.mappings.length)), 1);
    if (!mapping) return;
    assert.equal(user.space.unmap(at(mapping.page), mapping.bytes.length), mapping.bytes.length);
    this.memory.release(mapping.frames, mapping.bytes.length);
  }

  private bind(user: User): void {
    user.pasid = this.iommu.bind(user.stream, user.space);
    user.binds++;
  }

  private unbind(user: User): void {
    if (user.binds === 0) return;
    this.iommu.unbind(user.pasid, user.stream);
    user.binds--;
  }

  private access(user: User): void {
    if (user.pasid === 0) return;
    const access: Access = this.random(2) === 0 ? 'read' : 'write';
    const address = FIRST_PAGE * PAGE_BYTES + this.random(PAGES * PAGE_BYTES);
    const bytes = 1 + this.random(MAX_ACCESS_BYTES);
    const stream = this.random(20) === 0 ? STREAMS[this.random(2)] : user.stream;
    assert.ok(stream !== undefined);
    const target = this.users.find(
      (other) => other.binds > 0 && other.pasid === user.pasid && other.stream === stream,
    );
    const pieces = target ? piecesOf(target, address, bytes, access) : undefined;
    const faults = this.iommu.faultCount;
    const noiseFrom = this.random(MAX_ACCESS_BYTES);
    const data = NOISE.slice(noiseFrom, noiseFrom + bytes);
    const moved = this.device(stream, user.pasid, iova(address), access, data);
    assert.equal(this.iommu.faultCount - faults, pieces ? 0 : 1);
    assert.equal(moved, pieces ? bytes : 0);
    this.counts[pieces ? 'moved' : 'refused']++;
    if (!pieces) return;
    let offset = 0;
    for (const { mapping, from, length } of pieces) {
      const believed = mapping.bytes.subarray(from, from + length);
      if (access === 'write') believed.set(data.subarray(offset, offset + length));
      else assert.equal(Buffer.compare(data.subarray(offset, offset + length), believed), 0);
      offset += length;
    }
  }

  /** One DMA as an engine core does it. `data` is what is written, or receives what was read. @returns bytes moved */
  private device(
    stream: User['stream'],
    pasid: Pasid,
    address: Iova,
    access: Access,
    data: Uint8Array,
  ): number {
    const extents = this.iommu.translate(stream, pasid, address, data.length, access);
    if (!extents) return 0;
    const view = (offset: number) => this.memory.view(physAddr(offset), data.length);
    if (access === 'read') {
      const range = this.dma.read(extents, this.staging);
      assert.ok(range);
      data.set(view(range.offset));
    } else {
      const range = this.dma.place(extents, this.staging);
      assert.ok(range);
      view(range.offset).set(data);
      this.dma.write(range, this.staging, extents, data.length);
    }
    return data.length;
  }
}

const at = (page: number): Iova => iova(page * PAGE_BYTES);
const endOf = ({ page, bytes }: Mapping): number => page + bytes.length / PAGE_BYTES;

/** Where the model says that the bytes are; undefined: some of them may not be touched. */
function piecesOf({ mappings }: User, address: number, bytes: number, access: Access) {
  const pieces: { mapping: Mapping; from: number; length: number }[] = [];
  for (let next = address; next < address + bytes; ) {
    const page = Math.floor(next / PAGE_BYTES);
    const mapping = mappings.find((candidate) => candidate.page <= page && page < endOf(candidate));
    if (!mapping?.permissions[access]) return undefined;
    const length = Math.min(address + bytes, endOf(mapping) * PAGE_BYTES) - next;
    pieces.push({ mapping, from: next - mapping.page * PAGE_BYTES, length });
    next += length;
  }
  return pieces;
}

describe('the IOMMU between four address spaces', () => {
  it(`lets no byte move that a plain model forbids, over ${STEPS} random steps`, (t) => {
    const seed = Number(process.env['WARPDRIVE_SEED'] ?? Date.now() % 1e9);
    t.diagnostic(`WARPDRIVE_SEED=${seed}`);
    const random = randomFrom(seed);
    const machine = new Machine((below) => Math.floor(random() * below));
    for (let i = 0; i < STEPS; i++) {
      machine.step();
      if (i % STEPS_BETWEEN_AUDITS === 0) machine.audit();
    }
    machine.audit();
    const { moved, refused, framesReused } = machine.counts;
    t.diagnostic(
      `${moved} accesses moved bytes, ${refused} were refused, ${framesReused} frames had an owner before`,
    );
    assert.ok(Math.min(moved, refused, framesReused) > STEPS / 100, 'the steps reach every case');
  });
});
