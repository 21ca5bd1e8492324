import { WarpDriveError } from '../../../shared/src/problem.ts';
import { hex, PAGE_BYTES, type PhysAddr, physAddr } from '../../../shared/src/units.ts';
import { addressOf } from './libc.ts';

const WASM_PAGE_BYTES = 65536;
/** Grow in steps of this size: each growth makes one new view object. */
const GROW_BYTES = 4 * 1024 * 1024;
/** Physical addresses from here on are windows of WINDOW_STRIDE bytes each; RAM is far below. */
const WINDOW_BASE = 2 ** 40;
const WINDOW_STRIDE = 2 ** 30;

/**
 * The emulated machine's RAM: one shared WebAssembly memory, so that the kernel model, the device and WASM engine
 * cores in other threads touch the same bytes in place. The memory is reserved at once and committed by the host
 * kernel page by page as it is first touched.
 */
export class PhysicalMemory {
  readonly wasm: WebAssembly.Memory;
  private readonly maxBytes: number;
  private whole: Uint8Array;
  private nextFrame: number;
  /** Free runs of frames, ascending and never adjacent. */
  private free: { start: number; frames: number }[] = [];
  private allocatedFrames = 0;
  /** Memory from outside (files that other processes map too), by window number. */
  private readonly windows = new Map<number, { buffer: ArrayBuffer; hostAddress: number }>();
  private nextWindow = 0;

  /** @param maxBytes RAM size, a multiple of 64 KiB, at most 4 GiB. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.wasm = new WebAssembly.Memory({
      initial: GROW_BYTES / WASM_PAGE_BYTES,
      maximum: maxBytes / WASM_PAGE_BYTES,
      shared: true,
    });
    this.whole = new Uint8Array(this.wasm.buffer);
    this.nextFrame = 1; // frame 0 stays empty, because address 0 means "none" in descriptors
  }

  /** Size now. Not by `wasm.buffer`, which makes and freezes an object for each reader: a tenth of what a small job costs. */
  get ramBytes(): number {
    return this.whole.length;
  }

  /** Bytes in use by owners, for /metrics. */
  get allocatedBytes(): number {
    return this.allocatedFrames * PAGE_BYTES;
  }

  /** `bytes` bytes of RAM at `address`, in place. */
  view(address: PhysAddr, bytes: number): Uint8Array {
    if (address >= WINDOW_BASE) {
      const { buffer, offset } = this.window(address);
      return new Uint8Array(buffer, offset, bytes);
    }
    if (address + bytes > this.whole.length) this.refresh();
    return this.whole.subarray(address, address + bytes);
  }

  /** 32-bit words of RAM; `address` is a multiple of 4. */
  words(address: PhysAddr, count: number): Uint32Array {
    if (address >= WINDOW_BASE) {
      const { buffer, offset } = this.window(address);
      return new Uint32Array(buffer, offset, count);
    }
    if (address + count * 4 > this.whole.length) this.refresh();
    return new Uint32Array(this.whole.buffer, address, count);
  }

  /**
   * A contiguous run of zeroed frames, first fit.
   * @param bytes rounded up to 4 KiB frames
   * @throws WD_E_NO_MEMORY
   */
  allocate(bytes: number): PhysAddr {
    const frames = Math.ceil(bytes / PAGE_BYTES);
    const index = this.free.findIndex((run) => run.frames >= frames);
    const run = this.free[index];
    this.allocatedFrames += frames;
    if (run) {
      const start = run.start;
      run.start += frames;
      run.frames -= frames;
      if (run.frames === 0) this.free.splice(index, 1);
      return physAddr(start * PAGE_BYTES);
    }
    const start = this.nextFrame;
    const end = (start + frames) * PAGE_BYTES;
    if (end > this.maxBytes) {
      this.allocatedFrames -= frames;
      throw new WarpDriveError(
        'WD_E_NO_MEMORY',
        `${bytes} bytes of DMA memory asked, RAM of ${this.maxBytes} bytes is full`,
        {
          bytes,
          limitBytes: this.maxBytes,
        },
      );
    }
    const missing = end - this.ramBytes;
    if (missing > 0) {
      const room = this.maxBytes - this.ramBytes;
      this.wasm.grow(Math.ceil(Math.min(Math.max(missing, GROW_BYTES), room) / WASM_PAGE_BYTES));
      this.refresh();
    }
    this.nextFrame += frames;
    return physAddr(start * PAGE_BYTES);
  }

  /** Gives frames back, zeroed, because the next owner must not read the last one's bytes. */
  release(address: PhysAddr, bytes: number): void {
    const frames = Math.ceil(bytes / PAGE_BYTES);
    this.view(address, frames * PAGE_BYTES).fill(0);
    this.allocatedFrames -= frames;
    const start = address / PAGE_BYTES;
    let at = this.free.findIndex((run) => run.start > start);
    if (at === -1) at = this.free.length;
    this.free.splice(at, 0, { start, frames });
    this.joinAt(at);
    if (at > 0) this.joinAt(at - 1);
  }

  /**
   * Gives memory from outside a physical address, so that the device reaches it as any other. Its owner calls
   * `dropWindow` before the memory goes away.
   */
  addWindow(buffer: ArrayBuffer): PhysAddr {
    const id = this.nextWindow++;
    this.windows.set(id, { buffer, hostAddress: addressOf(new Uint8Array(buffer)) });
    return physAddr(WINDOW_BASE + id * WINDOW_STRIDE);
  }

  dropWindow(address: PhysAddr): void {
    this.windows.delete(Math.floor((address - WINDOW_BASE) / WINDOW_STRIDE));
  }

  /** Windows in use: none when no other process has a queue. */
  get windowCount(): number {
    return this.windows.size;
  }

  /** Where a window's byte is in this process, for threads that do not have its buffer; undefined for RAM. */
  hostAddress(address: PhysAddr): number | undefined {
    if (address < WINDOW_BASE) return undefined;
    const window = this.window(address);
    return window.hostAddress + window.offset;
  }

  private window(address: number): { buffer: ArrayBuffer; hostAddress: number; offset: number } {
    const id = Math.floor((address - WINDOW_BASE) / WINDOW_STRIDE);
    const window = this.windows.get(id);
    if (!window)
      throw new WarpDriveError('WD_E_INTERNAL', `no memory at physical address ${hex(address, 12)}`);
    return { ...window, offset: address - WINDOW_BASE - id * WINDOW_STRIDE };
  }

  private joinAt(index: number): void {
    const run = this.free[index];
    const next = this.free[index + 1];
    if (!run || !next || run.start + run.frames !== next.start) return;
    run.frames += next.frames;
    this.free.splice(index + 1, 1);
  }

  private refresh(): void {
    this.whole = new Uint8Array(this.wasm.buffer);
  }
}
