import { WarpDriveError } from '../../../shared/src/problem.ts';
import { PAGE_BYTES } from '../../../shared/src/units.ts';
import { AttachConnection } from '../attach/client.ts';
import type { AttachMode } from '../attach/protocol.ts';
import { addressOf } from '../platform/libc.ts';
import { defaultAttachPath } from '../platform/run-folder.ts';
import { DmaRegistry } from './dma-registry.ts';
import { Queue, type QueueOptions } from './queue.ts';

export { defaultAttachPath } from '../platform/run-folder.ts';

export interface ConnectOptions {
  /** Unix socket of the service; default `defaultAttachPath()`. */
  path?: string;
  /**
   * `sva` (default): any Buffer works, the engine reads and writes this process at its own addresses.
   * `vfio`: only memory from `allocate` or given to `map` can be reached. `noiommu`: memory from `allocate` only;
   * needs the service's admin token.
   */
  mode?: AttachMode;
  /** Shown as the owner in /v1/queues; default the script's name. */
  name?: string;
  token?: string;
}

/** Memory that the engine reaches in every mode. */
export interface DmaMemory {
  readonly bytes: Uint8Array;
  /** The service can no longer reach it, and neither may you: it is unmapped. */
  free(): Promise<void>;
}

/** Far above what the service hands out for `allocate`. */
const FIRST_IOVA = 2 ** 40;
const READ = 1;
const WRITE = 2;

/**
 * Attaches this process to a running service.
 * @throws WD_E_ENODEV nobody listens; WD_E_EACCES; WD_E_EPERM noiommu without the admin token
 */
export async function connect(options: ConnectOptions = {}): Promise<WarpDrive> {
  const { path = defaultAttachPath(), mode = 'sva', token } = options;
  const name = options.name ?? process.argv[1]?.split('/').at(-1) ?? 'node';
  const open = (): Promise<AttachConnection> =>
    AttachConnection.open({ path, mode, name, ...(token === undefined ? {} : { token }) });
  return new WarpDrive(await open(), mode);
}

/** One attached process. Closing it, or exiting in any way, gives everything back. */
export class WarpDrive {
  private readonly registry = new DmaRegistry();
  private nextIova = FIRST_IOVA;

  constructor(
    private readonly connection: AttachConnection,
    readonly mode: AttachMode,
  ) {}

  /** Protocol frames exchanged so far: polling exchanges none. */
  get frames(): number {
    return this.connection.frames;
  }

  /**
   * A queue of one direction.
   * @throws WD_E_NO_QUEUE all are taken; WD_E_EINVAL priority outside 0–15
   */
  async openQueue(options: QueueOptions): Promise<Queue> {
    const reach = this.mode === 'sva' ? addressOf : (bytes: Uint8Array) => this.registry.deviceAddress(bytes);
    const request = { operation: options.operation, priority: options.priority ?? 0 };
    return new Queue(
      await this.connection.openQueue(request),
      () => this.connection.openQueue(request),
      reach,
    );
  }

  /** Memory made by the service and mapped by both sides; works where the host forbids reading this process. */
  async allocate(bytes: number): Promise<DmaMemory> {
    if (this.mode === 'sva') return { bytes: new Uint8Array(bytes), free: async () => {} };
    const made = await this.connection.allocateDma(bytes);
    const entry = this.registry.add(made.bytes, made.address);
    return {
      bytes: made.bytes,
      free: async () => {
        this.registry.remove(entry);
        made.unmap();
      },
    };
  }

  /**
   * Mode vfio: maps whole pages of this process's own memory for the engine.
   * @param bytes page-aligned, from `allocateAligned`
   * @returns the function that unmaps them
   * @throws WD_E_EINVAL not page-aligned, or another mode
   */
  async map(bytes: Uint8Array): Promise<() => Promise<void>> {
    const address = addressOf(bytes);
    if (this.mode !== 'vfio')
      throw new WarpDriveError('WD_E_EINVAL', `map is for mode vfio, this is ${this.mode}`, {
        field: 'mode',
      });
    if (address % PAGE_BYTES !== 0 || bytes.length % PAGE_BYTES !== 0)
      throw new WarpDriveError(
        'WD_E_EINVAL',
        `${bytes.length} bytes are not whole ${PAGE_BYTES}-byte pages`,
        {
          field: 'bytes',
        },
      );
    const iova = this.nextIova;
    this.nextIova += bytes.length + PAGE_BYTES;
    await this.connection.mapDma(address, iova, bytes.length, READ | WRITE);
    const entry = this.registry.add(bytes, iova);
    return async () => {
      this.registry.remove(entry);
      await this.connection.unmapDma(iova, bytes.length);
    };
  }

  close(): void {
    this.connection.close();
  }
}

/** Whole pages of ordinary memory of this process, for `map`. */
export function allocateAligned(bytes: number): Uint8Array {
  const whole = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  const memory = new Uint8Array(whole + PAGE_BYTES);
  const skip = (PAGE_BYTES - (addressOf(memory) % PAGE_BYTES)) % PAGE_BYTES;
  return memory.subarray(skip, skip + whole);
}
