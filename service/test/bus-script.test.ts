/**
 * A kernel driver on the bare bus, in the order of hisi_zip's probe (Linux drivers/crypto/hisilicon/qm.c, zip_main.c;
 * sources.md 5). Registers, contexts and entries are typed here as numbers: nothing is taken from hw-abi.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type PhysAddr, physAddr } from '../../shared/src/units.ts';
import { DeviceRig } from './support/device-rig.ts';

const TEXT = Buffer.from('what a driver that knows only registers sends to be compressed\n'.repeat(30));
const GZIP_HEADER = Buffer.from('1f8b08000000000000ff', 'hex');
const QUEUES = 64;

/** The driver: its memory, its handlers' views of the rings, one method a step. */
class BusDriver {
  readonly rig = new DeviceRig({ core: 'wasm', isBare: true });
  readonly bus = this.rig.device;
  readonly eq = this.allocate(2048 * 4);
  readonly aeq = this.allocate(1024 * 4);
  readonly sqcTable = this.allocate(QUEUES * 32);
  readonly cqcTable = this.allocate(QUEUES * 32);
  readonly interrupts = { eq: 0, aeq: 0, command: 0, abnormal: 0 };
  private readonly context = this.allocate(32);

  constructor() {
    for (const vector of ['eq', 'aeq', 'command', 'abnormal'] as const)
      this.bus.onInterrupt(vector, () => this.interrupts[vector]++);
  }

  allocate(bytes: number): PhysAddr {
    const address = this.rig.memory.allocate(bytes);
    this.rig.memory.view(address, bytes).fill(0);
    return address;
  }

  words(address: PhysAddr, count: number): Uint32Array {
    return this.rig.memory.words(address, count);
  }

  /** @returns the mailbox's status bits */
  mailbox(command: number, queue = 0, address: number = this.context, op = 0): number {
    this.bus.write128(0x300, [((queue << 16) | (op << 14) | 0x2000 | command) >>> 0, address, 0, 0]);
    const word = this.bus.read32(0x300);
    assert.equal(word & 0x2000, 0, 'the busy bit falls');
    return (word >>> 9) & 0xf;
  }

  withContext(words: readonly number[]): void {
    this.words(this.context, 8).set([...words, ...new Array<number>(8 - words.length).fill(0)]);
  }

  readContext(command: number, queue = 0): number[] {
    this.withContext([]);
    assert.equal(this.mailbox(command, queue, this.context, 1), 0);
    return [...this.words(this.context, 8)];
  }

  initMemory(): void {
    this.bus.write32(0x10_0040, 1);
    assert.equal(this.bus.read32(0x10_0044) & 1, 1);
  }

  /** Function 0 owns `count` queues from `base`. */
  setVft(base: number, count: number): void {
    const entry = count === 0 ? 0n : (BigInt(base) << 28n) | (1n << 44n) | (BigInt(count - 1) << 45n);
    for (const [type, value] of [
      [0, entry],
      [1, count === 0 ? 0n : 1n << 28n],
    ] as const) {
      assert.equal(this.bus.read32(0x10_006c) & 1, 1);
      this.bus.write32(0x10_0058, 0);
      this.bus.write32(0x10_005c, type);
      this.bus.write32(0x10_0060, 0);
      this.bus.write32(0x10_0064, Number(value & 0xffff_ffffn));
      this.bus.write32(0x10_0068, Number(value >> 32n));
      this.bus.write32(0x10_006c, 0);
      this.bus.write32(0x10_0054, 1);
      assert.equal(this.bus.read32(0x10_006c) & 1, 1);
    }
  }

  setEventQueues(): void {
    this.words(this.eq, 2048).fill(0);
    this.words(this.aeq, 1024).fill(0);
    this.withContext([0, this.eq, 0, 0, 0, 0, 0, 2047 | 0x1_0000]);
    assert.equal(this.mailbox(2), 0);
    this.withContext([0, this.aeq, 0, 0, 0, 0, 0, 1023 | 0x1_0000]);
    assert.equal(this.mailbox(3), 0);
  }

  start(): this {
    this.initMemory();
    this.setVft(0, QUEUES);
    this.setEventQueues();
    assert.equal(this.mailbox(4, 0, this.sqcTable), 0);
    assert.equal(this.mailbox(5, 0, this.cqcTable), 0);
    this.bus.write64(0x2000, 0x3000, 0); // AEQ doorbell, then EQ doorbell
    this.bus.write64(0x2000, 0x2000, 0);
    this.bus.write32(0xc, 0);
    this.bus.write32(0x4, 0);
    return this;
  }

  enableErrors(): void {
    this.bus.write32(0x10_0000, 0x7fff);
    this.bus.write32(0x10_00ec, 0x8);
    this.bus.write32(0x10_00f4, 0x7c77);
    this.bus.write32(0x10_40f8, 0x6c77);
    this.bus.write32(0x10_0004, 0x380);
    this.bus.write32(0x30_1160, 0x1);
    this.bus.write32(0x30_1164, 0x1ffe);
    this.bus.write32(0x30_10a4, 0);
  }

  queue(id: number): BusQueue {
    return new BusQueue(this, id);
  }

  /** Entries of a ring of `depth` words that are new from `head` on in phase `phase`. */
  newEntries(ring: PhysAddr, depth: number, head: number, phase: number): number[] {
    const words = this.words(ring, depth);
    const found: number[] = [];
    for (let at = head; at < depth && ((words[at]! >>> 16) & 1) === phase; at++) found.push(words[at]!);
    return found;
  }
}

class BusQueue {
  readonly sq: PhysAddr;
  readonly cq: PhysAddr;
  private readonly source: number;
  private readonly destination: number;
  tail = 0;

  constructor(
    private readonly driver: BusDriver,
    readonly id: number,
  ) {
    this.sq = driver.allocate(1024 * 128);
    this.cq = driver.allocate(1024 * 16);
    this.source = driver.rig.place(TEXT);
    this.destination = driver.allocate(0x10000);
  }

  sqc(random = 0): number[] {
    const depthAndSize = 1023 | (7 << 12);
    return [0, this.sq, 0, depthAndSize, random, 0, this.id | ((1 << 4) << 16)];
  }

  cqc(interrupts: 0 | 1 = 0): number[] {
    return [0, this.cq, 0, 1023 | (4 << 12), 0, 0, 1 | (interrupts << 1)];
  }

  /** @returns the statuses of SQC and CQC */
  start(random = 0, interrupts: 0 | 1 = 0): [number, number] {
    this.driver.words(this.cq, 1024 * 4).fill(0);
    this.tail = 0;
    this.driver.withContext(this.sqc(random));
    const sqc = this.driver.mailbox(0, this.id);
    this.driver.withContext(this.cqc(interrupts));
    return [sqc, this.driver.mailbox(1, this.id)];
  }

  /** One gzip job, rung by the kernel's doorbell. */
  submit(random = 0): void {
    const sqe = this.driver.words(physAddr(this.sq + this.tail * 128), 32);
    sqe.fill(0);
    sqe[4] = TEXT.length;
    sqe[7] = 0x3200_0000; // type 3, finish
    sqe[9] = 0x4003; // 32 KiB window, flat, gzip
    sqe[14] = 0x10000;
    sqe[18] = this.source;
    sqe[20] = this.destination;
    sqe[26] = this.tail + 1;
    this.tail = (this.tail + 1) % 1024;
    this.driver.bus.write64(0x1000, ((random << 16) | this.id) >>> 0, this.tail);
  }

  acknowledge(head: number, arm: 0 | 1): void {
    this.driver.bus.write64(0x1000, 0x1000 | this.id, ((arm << 16) | head) >>> 0);
  }

  /** CQE at `index`: SQ head, SQ number, phase. */
  cqe(index: number): number[] {
    const words = this.driver.words(physAddr(this.cq + index * 16), 4);
    return [words[2]! & 0xffff, words[2]! >>> 16, (words[3]! >>> 16) & 1];
  }

  output(slot: number): Buffer {
    const produced = this.driver.words(physAddr(this.sq + slot * 128), 32)[1]!;
    return gunzipSync(Buffer.concat([GZIP_HEADER, this.driver.rig.read(this.destination, produced)]));
  }
}

describe('a driver that probes the device', () => {
  it('finds its capabilities and its reset state', () => {
    const { bus } = new BusDriver();
    assert.equal(bus.read32(0x10_0158) & 0x7ff, 1024, 'queues of the device');
    assert.equal(bus.read32(0x3108), 0x0400_0400);
    assert.equal(bus.read32(0x3104), 0x0400_0800);
    assert.equal(bus.read32(0x10_0044), 0, 'memories not initialised');
    assert.deepEqual([bus.read32(0x4), bus.read32(0xc)], [1, 1], 'event interrupts masked');
    assert.equal(bus.read32(0x10_0004), 0x7fff, 'errors masked');
    assert.equal(bus.read32(0x60), 1, 'function not ready');
  });
  it('reads all ones where nothing is, and its writes there are dropped', () => {
    const { bus, rig } = new BusDriver();
    bus.write32(0x10_0200, 5);
    assert.equal(bus.read32(0x10_0200), 0xffff_ffff);
    bus.write32(0x10_0158, 0);
    assert.equal(bus.read32(0x10_0158) & 0x7ff, 1024, 'read only');
    assert.equal(rig.warnings.length, 3);
  });
  it('is refused a queue until memories, function table and context tables are there', () => {
    const driver = new BusDriver();
    const queue = driver.queue(1);
    const refused = (): void => assert.notEqual(queue.start()[0], 0);
    refused();
    driver.initMemory();
    refused();
    driver.setVft(0, QUEUES);
    driver.setEventQueues();
    refused();
    assert.equal(driver.mailbox(4, 0, driver.sqcTable), 0);
    refused();
    assert.equal(driver.mailbox(5, 0, driver.cqcTable), 0);
    assert.deepEqual(queue.start(), [0, 0]);
    assert.notEqual(driver.queue(QUEUES).start()[0], 0, 'a queue outside the function’s window');
  });
  it('reads the function table back, by registers and by mailbox', () => {
    const driver = new BusDriver();
    const { bus } = driver;
    assert.notEqual(driver.mailbox(6, 0, 0, 1), 0, 'no entry yet');
    driver.initMemory();
    driver.setVft(0x155, 37);
    assert.equal(driver.mailbox(6, 0, 0, 1), 0);
    const entry = BigInt(bus.read32(0x304)) | (BigInt(bus.read32(0x308)) << 32n);
    assert.deepEqual([(entry >> 28n) & 0xffffn, ((entry >> 45n) & 0x3ffn) + 1n], [0x155n, 37n]);
    bus.write32(0x10_0058, 1); // read
    bus.write32(0x10_005c, 0);
    bus.write32(0x10_0060, 0);
    bus.write32(0x10_006c, 0);
    bus.write32(0x10_0054, 1);
    assert.deepEqual([bus.read32(0x10_0064), bus.read32(0x10_0068)], [bus.read32(0x304), bus.read32(0x308)]);
  });
  it('gets a status for commands that no function knows, and silence for what is none', () => {
    const driver = new BusDriver().start();
    for (const command of [7, 9, 0xc, 0xd, 0xff]) assert.notEqual(driver.mailbox(command), 0, `${command}`);
    assert.notEqual(driver.mailbox(0, 0, 0, 1), 0, 'SQC of a queue that is not started');
    assert.notEqual(driver.mailbox(8, 5), 0, 'stop of a queue that is not started');
    assert.equal(driver.mailbox(4, 0, driver.sqcTable), 0);
    driver.bus.write128(0x300, [7, 0, 0, 0]); // no busy bit
    assert.equal((driver.bus.read32(0x300) >>> 9) & 0xf, 0);
    driver.bus.write32(0x300, 0x2007);
    assert.equal((driver.bus.read32(0x300) >>> 9) & 0xf, 0);
  });
});

describe('a driver that runs a queue', () => {
  it('gets its job done, an event for it, and one interrupt', () => {
    const driver = new BusDriver().start();
    const queue = driver.queue(5);
    assert.deepEqual(queue.start(0, 1), [0, 0]); // CQC dw6 bit 1: the first completion raises an event
    queue.submit();
    assert.deepEqual(queue.cqe(0), [0, 5, 1]);
    assert.deepEqual(queue.output(0), TEXT);
    assert.equal(driver.interrupts.eq, 1);
    assert.equal(driver.words(driver.eq, 1)[0], 0x1_0005);
    assert.equal(driver.bus.read32(0x8), 1);
    driver.bus.write64(0x2000, 0x2000, 1);
    assert.equal(driver.bus.read32(0x8), 0, 'acknowledged');
    queue.acknowledge(1, 0);
    queue.submit();
    assert.equal(driver.interrupts.eq, 1, 'a polled queue raises none');
    queue.acknowledge(2, 1);
    queue.submit();
    assert.equal(driver.interrupts.eq, 2);
    assert.equal(driver.words(driver.eq, 2)[1], 0x1_0005);
  });
  it('keeps events while they are masked and is interrupted at once when it unmasks', () => {
    const driver = new BusDriver().start();
    driver.bus.write32(0xc, 1);
    const queue = driver.queue(2);
    queue.start(0, 1);
    queue.submit();
    assert.deepEqual([driver.interrupts.eq, driver.bus.read32(0x8)], [0, 1]);
    driver.bus.write32(0xc, 0);
    assert.equal(driver.interrupts.eq, 1);
  });
  it('reads its contexts back with the device’s indices, and finds them in its tables after a write-back', () => {
    const driver = new BusDriver().start();
    const queue = driver.queue(3);
    queue.start();
    for (let i = 0; i < 5; i++) queue.submit();
    queue.acknowledge(2, 0);
    const sqc = driver.readContext(0, 3);
    assert.deepEqual(sqc, [5 | (5 << 16), ...queue.sqc().slice(1), 0]);
    const cqc = driver.readContext(1, 3);
    assert.deepEqual(cqc, [2 | (5 << 16), ...queue.cqc().slice(1), 0]);
    driver.bus.write32(0x204, 1);
    assert.equal(driver.bus.read32(0x208), 1);
    assert.deepEqual([...driver.words(physAddr(driver.sqcTable + 3 * 32), 8)], sqc);
    assert.deepEqual([...driver.words(physAddr(driver.cqcTable + 3 * 32), 8)], cqc);
    assert.deepEqual(driver.readContext(2), [0, driver.eq, 0, 0, 0, 0, 0, 2047 | 0x1_0000]);
    assert.deepEqual(driver.readContext(3), [0, driver.aeq, 0, 0, 0, 0, 0, 1023 | 0x1_0000]);
  });
  it('stops it once, and its doorbells are refused from then on', () => {
    const driver = new BusDriver().start();
    const queue = driver.queue(3);
    queue.start();
    assert.equal(driver.mailbox(8, 3), 0);
    assert.notEqual(driver.mailbox(8, 3), 0);
    queue.submit();
    assert.deepEqual(queue.cqe(0), [0, 0, 0]);
    assert.deepEqual(queue.start(), [0, 0]);
    queue.submit();
    assert.deepEqual(queue.cqe(0), [0, 3, 1]);
  });
  it('must ring with the random number of its context', () => {
    const driver = new BusDriver().start();
    driver.bus.write32(0x10_0004, 0);
    const queue = driver.queue(3);
    queue.start(0xbeef);
    queue.submit(0xbee0);
    assert.equal(driver.bus.read32(0x10_0008), 1 << 12, 'qm_db_random_invalid');
    assert.deepEqual(queue.cqe(0), [0, 0, 0]);
    queue.submit(0xbeef);
    assert.deepEqual(
      [queue.cqe(0), queue.cqe(1)].map(([head]) => head),
      [0, 1],
    );
  });
  it('counts in the debug registers, which clear when they are read if it says so', () => {
    const driver = new BusDriver().start();
    const { bus } = driver;
    const [first, second] = [driver.queue(3), driver.queue(4)];
    first.start();
    second.start();
    for (let i = 0; i < 3; i++) first.submit();
    second.submit();
    bus.write32(0x10_4030, 3 << 16);
    bus.write32(0x10_4040, 4 << 16);
    assert.deepEqual(
      [bus.read32(0x10_4038), bus.read32(0x10_4048)],
      [3, 1],
      'SQEs of queue 3, CQEs of queue 4',
    );
    assert.equal(bus.read32(0x10_4050), 4);
    assert.equal(bus.read32(0x10_4028), 6, 'doorbells, EQ and AEQ included');
    assert.equal(bus.read32(0x10_4018), 8, 'mailbox commands');
    bus.write32(0x10_0118, 1);
    assert.equal(bus.read32(0x10_4050), 4);
    assert.equal(bus.read32(0x10_4050), 0);
    assert.deepEqual(
      [bus.read32(0x30_2000), bus.read32(0x30_200c), bus.read32(0x30_2038)],
      [4, 4, 4 * TEXT.length],
    );
    bus.write32(0x30_1000, 1);
    assert.deepEqual([bus.read32(0x30_200c), bus.read32(0x30_200c)], [4, 0]);
  });
});

describe('rings that wrap', () => {
  it('EQ: 2048 entries a lap, phase 1, 0, 1', () => {
    const driver = new BusDriver().start();
    const queue = driver.queue(7);
    queue.start();
    for (let i = 0; i < 2 * 2048 + 100; i++) {
      queue.acknowledge(i % 1024, 1);
      queue.submit();
      const at = i % 2048;
      const phase = Math.floor(i / 2048) % 2 === 0 ? 1 : 0;
      assert.equal(driver.words(driver.eq, 2048)[at], (phase << 16) | 7, `event ${i}`);
      driver.bus.write64(0x2000, 0x2000, (at + 1) % 2048);
    }
    assert.equal(driver.interrupts.eq, 2 * 2048 + 100);
    assert.equal(driver.interrupts.aeq, 0);
  });
  it('EQ: one that nobody acknowledges overflows, and the AEQ says so (type 1)', () => {
    const driver = new BusDriver().start();
    const queue = driver.queue(7);
    queue.start();
    for (let i = 0; i < 2047; i++) {
      queue.acknowledge(i % 1024, 1);
      queue.submit();
    }
    assert.equal(driver.interrupts.aeq, 0);
    queue.acknowledge(2047 % 1024, 1);
    queue.submit();
    assert.equal(driver.interrupts.aeq, 1);
    assert.equal(driver.words(driver.aeq, 1)[0]! >>> 17, 1);
    assert.equal(driver.bus.read32(0x0), 1);
    driver.bus.write64(0x2000, 0x3000, 1);
    assert.equal(driver.bus.read32(0x0), 0);
  });
  it('CQ: one whose head never moves overflows; its queue ends (type 0), its neighbour goes on', () => {
    const driver = new BusDriver().start();
    const [queue, neighbour] = [driver.queue(7), driver.queue(8)];
    queue.start();
    neighbour.start();
    for (let i = 0; i < 1023; i++) queue.submit();
    assert.equal(driver.interrupts.aeq, 0);
    queue.submit();
    assert.equal(driver.interrupts.aeq, 1);
    assert.equal(driver.words(driver.aeq, 1)[0], 0x1_0007);
    neighbour.submit();
    assert.deepEqual(neighbour.cqe(0), [0, 8, 1]);
    assert.deepEqual(queue.start(), [0, 0]);
    queue.submit();
    assert.deepEqual(queue.cqe(0), [0, 7, 1]);
  });
  it('AEQ: 1024 entries a lap, each with its queue and type', () => {
    const driver = new BusDriver().start();
    const queue = driver.queue(9);
    driver.bus.faults.inject({ kind: 'cqe-error', count: 1100 });
    for (let i = 0; i < 1100; i++) {
      queue.start();
      queue.submit();
      const phase = i < 1024 ? 1 : 0;
      assert.equal(driver.words(driver.aeq, 1024)[i % 1024], (2 << 17) | (phase << 16) | 9);
      driver.bus.write64(0x2000, 0x3000, (i + 1) % 1024);
    }
    assert.equal(driver.interrupts.aeq, 1100);
  });
});

describe('errors and resets', () => {
  it('latches an error, shows it where unmasked, interrupts where enabled, and clears what is written', () => {
    const driver = new BusDriver().start();
    const { bus } = driver;
    bus.write32(0x10_000c, 1 << 3);
    assert.deepEqual([bus.read32(0x10_0000), bus.read32(0x10_0008)], [8, 0], 'masked');
    driver.enableErrors();
    assert.equal(bus.read32(0x10_0000), 0, 'the driver cleared what was left over');
    bus.write32(0x10_000c, 1 << 3); // correctable
    assert.deepEqual([bus.read32(0x10_0008), driver.interrupts.abnormal], [8, 1]);
    bus.write32(0x10_0000, 8);
    assert.equal(bus.read32(0x10_0008), 0);
    bus.write32(0x30_10a8, 1);
    assert.deepEqual([bus.read32(0x30_10ac), driver.interrupts.abnormal], [1, 2]);
    const queue = driver.queue(1);
    queue.start();
    queue.submit();
    assert.deepEqual(queue.cqe(0), [0, 1, 1], 'a correctable error stops nothing');
  });
  it('after one that needs a reset nothing completes until shutdown, reset and bring-up are done', () => {
    const driver = new BusDriver().start();
    const { bus } = driver;
    driver.enableErrors();
    const queue = driver.queue(1);
    queue.start();
    bus.write32(0x10_000c, 1 << 2); // qm_ecc_mbit
    assert.equal(driver.interrupts.abnormal, 1);
    queue.submit();
    assert.deepEqual(queue.cqe(0), [0, 0, 0], 'the bus master is off');
    assert.equal(driver.mailbox(8, 1), 0);
    bus.write32(0xc, 1);
    bus.write32(0x4, 1);
    driver.setVft(0, 0);
    bus.write32(0x30_0000, 1);
    assert.equal(bus.read32(0x30_0150), 3);
    assert.equal(bus.firmwareReset(), true);
    assert.deepEqual([bus.read32(0x10_0000), bus.read32(0x10_0044), bus.read32(0x30_0000)], [0, 0, 0]);
    assert.notEqual(queue.start()[0], 0);
    driver.start();
    assert.deepEqual(queue.start(), [0, 0]);
    queue.submit();
    assert.deepEqual(queue.cqe(0), [0, 1, 1]);
    assert.deepEqual(queue.output(0), TEXT);
  });
});
