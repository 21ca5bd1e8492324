import { connect as connectSocket, type Socket } from 'node:net';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { DUS_BYTES, MMIO_BYTES } from '../hw-abi/dus.ts';
import { DOORBELL } from '../hw-abi/qm.ts';
import type { MmioView, QueueHandle, QueueRequest } from '../platform/accelerator.ts';
import { allowTracer } from '../platform/libc.ts';
import { openSharedFile } from '../platform/shared-file.ts';
import { errorOfErrno } from './errno.ts';
import {
  ATTACH_MODES,
  ATTACH_VERSION,
  type AttachMode,
  DEVICE_SLEEPS_OFFSET,
  doorbellSlot,
  encodeFrame,
  type Frame,
  FrameReader,
  OPCODE,
  operationCode,
  PayloadReader,
  PayloadWriter,
  REGION_DUS_OFFSET,
} from './protocol.ts';

interface Waiter {
  resolve(reader: PayloadReader): void;
  reject(error: Error): void;
}

/** An attached process's end of the attach protocol. One per process is enough; `close` gives everything back. */
export class AttachConnection {
  private readonly reader = new FrameReader();
  private readonly waiting = new Map<number, Waiter>();
  private readonly queues = new Map<number, AttachedQueue>();
  private nextSequence = 1;
  private failure: WarpDriveError | undefined;
  /** Frames sent and received, so that a test can show that polling needs none. */
  frames = 0;

  private constructor(
    private readonly socket: Socket,
    readonly mode: AttachMode,
  ) {
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', (error) => this.fail(error.message));
    socket.on('close', () => this.fail('the service closed the connection'));
  }

  /**
   * @param options.token the admin token, for mode noiommu
   * @throws WD_E_ENODEV nobody listens at `path`; WD_E_EACCES not the socket's owner or group; WD_E_EPERM; WD_E_EINVAL
   */
  static async open(options: {
    path: string;
    mode: AttachMode;
    name: string;
    token?: string;
  }): Promise<AttachConnection> {
    const socket = connectSocket(options.path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new WarpDriveError(
            error.code === 'EACCES' ? 'WD_E_EACCES' : 'WD_E_ENODEV',
            `cannot attach at ${options.path}: ${error.code ?? error.message}`,
            { path: options.path },
            { cause: error },
          ),
        ),
      );
    });
    const connection = new AttachConnection(socket, options.mode);
    try {
      const hello = await connection.request(OPCODE.hello, new PayloadWriter().u32(ATTACH_VERSION));
      hello.u32();
      if (options.mode === 'sva') allowTracer(hello.u32());
      const body = new PayloadWriter()
        .u8(ATTACH_MODES.indexOf(options.mode))
        .text(options.name)
        .text(options.token ?? '');
      await connection.request(OPCODE.attach, body);
      return connection;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** @throws WD_E_NO_QUEUE, WD_E_EINVAL */
  async openQueue(request: QueueRequest): Promise<AttachedQueue> {
    const body = new PayloadWriter().u8(operationCode(request.operation)).u8(request.priority);
    const answer = await this.request(OPCODE.openQueue, body);
    const qpId = answer.u16();
    const hardware = answer.u16() === 2 ? 'zip-v2' : 'zip-v3';
    const [mmioBytes, dusBytes] = [answer.u32(), answer.u32()];
    if (mmioBytes !== MMIO_BYTES || dusBytes !== DUS_BYTES)
      throw new WarpDriveError(
        'WD_E_DEVICE',
        `regions of ${mmioBytes} and ${dusBytes} bytes are not this driver's`,
      );
    const file = openSharedFile(answer.text(), REGION_DUS_OFFSET + dusBytes);
    const queue = new AttachedQueue(
      request,
      qpId,
      hardware,
      file.buffer,
      () => this.kick(qpId),
      async () => {
        this.queues.delete(qpId);
        file.unmap();
        if (!this.failure) await this.request(OPCODE.closeQueue, new PayloadWriter().u16(qpId));
      },
    );
    this.queues.set(qpId, queue);
    await this.request(OPCODE.startQueue, new PayloadWriter().u16(qpId));
    return queue;
  }

  /** Mode vfio: lets the engine reach `bytes` bytes of this process at `virtual` as `iova`; whole pages. */
  async mapDma(virtual: number, iova: number, bytes: number, flags: number): Promise<void> {
    await this.request(OPCODE.mapDma, new PayloadWriter().u64(virtual).u64(iova).u64(bytes).u32(flags));
  }

  /** @returns bytes that were unmapped */
  async unmapDma(iova: number, bytes: number): Promise<number> {
    return (await this.request(OPCODE.unmapDma, new PayloadWriter().u64(iova).u64(bytes))).u64();
  }

  /** Memory that the service makes and both map: for hosts that forbid reading a process, and for noiommu. */
  async allocateDma(bytes: number): Promise<{ address: number; bytes: Uint8Array; unmap(): void }> {
    const answer = await this.request(OPCODE.allocateDma, new PayloadWriter().u64(bytes));
    const [address, whole] = [answer.u64(), answer.u64()];
    const file = openSharedFile(answer.text(), whole);
    return { address, bytes: new Uint8Array(file.buffer, 0, bytes), unmap: file.unmap };
  }

  /** The service frees all queues and mappings when the connection goes. */
  close(): void {
    this.fail('the connection was closed');
    this.socket.destroy();
  }

  private request(opcode: number, body: PayloadWriter): Promise<PayloadReader> {
    if (this.failure) return Promise.reject(this.failure);
    const sequence = this.nextSequence++;
    return new Promise((resolve, reject) => {
      this.waiting.set(sequence, { resolve, reject });
      this.send(encodeFrame(opcode, sequence, body.finish()));
    });
  }

  private kick(qpId: number): void {
    this.send(encodeFrame(OPCODE.kick, 0, new PayloadWriter().u16(qpId).finish()));
  }

  private send(frame: Buffer): void {
    this.frames++;
    this.socket.write(frame);
  }

  private receive(chunk: Buffer): void {
    for (const frame of this.reader.push(chunk)) this.handle(frame);
  }

  private handle(frame: Frame): void {
    this.frames++;
    const body = new PayloadReader(frame.payload);
    if (frame.opcode === OPCODE.interrupt) {
      this.queues.get(body.u16())?.interrupt();
      return;
    }
    if (frame.opcode === OPCODE.queueLost) {
      this.queues.get(body.u16())?.lose();
      return;
    }
    const waiter = this.waiting.get(frame.sequence);
    this.waiting.delete(frame.sequence);
    if (frame.errno === 0) waiter?.resolve(body);
    else waiter?.reject(errorOfErrno(frame.errno, body.text(), body.text()));
  }

  private fail(reason: string): void {
    this.failure ??= new WarpDriveError('WD_E_DEVICE_RESET', reason);
    for (const waiter of this.waiting.values()) waiter.reject(this.failure);
    this.waiting.clear();
    for (const queue of this.queues.values()) queue.lose();
  }
}

/** A queue whose regions are a file that both sides map: submitting is stores, completing is loads. */
export class AttachedQueue implements QueueHandle {
  readonly id: string;
  readonly operation;
  readonly priority;
  readonly region;
  private completionListener: () => void = () => {};
  private lostListener: () => void = () => {};
  private isOpen = true;

  constructor(
    request: QueueRequest,
    readonly qpId: number,
    readonly hardware: QueueHandle['hardware'],
    file: ArrayBuffer,
    kick: () => void,
    private readonly onClose: () => Promise<void>,
  ) {
    this.id = `attached/${qpId}`;
    this.operation = request.operation;
    this.priority = request.priority;
    this.region = {
      mmio: sharedMmio(new Uint32Array(file, 0, MMIO_BYTES / 4), kick),
      dus: new Uint8Array(file, REGION_DUS_OFFSET, DUS_BYTES),
    };
  }

  /** The connection started it. */
  start(): void {}

  onCompletion(listener: () => void): void {
    this.completionListener = listener;
  }

  /** Calls back when the service took the queue away. */
  onLost(listener: () => void): void {
    this.lostListener = listener;
  }

  interrupt(): void {
    if (!this.isOpen) return;
    try {
      this.completionListener();
    } catch (error) {
      // a driver reports the stop words by throwing; here nobody would catch it
      if (!(error instanceof WarpDriveError)) throw error;
      this.lose();
    }
  }

  lose(): void {
    if (this.isOpen) this.lostListener();
  }

  /** Nothing may touch the region afterwards. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onClose().catch(() => {}); // the service frees it with the connection at the latest
  }
}

/** Registers that are memory: each doorbell command has its own word, and a sleeping device needs a kick. */
function sharedMmio(page: Uint32Array, kick: () => void): MmioView {
  return {
    read32: (offset) => Atomics.load(page, offset / 4),
    write64(offset, low, high) {
      const command = (low >>> DOORBELL.command.shift) & 0xf;
      const slot = doorbellSlot(offset, command) / 4;
      page[slot] = low;
      Atomics.store(page, slot + 1, high | 0); // a full barrier: SQE and low word are visible before it
      if (Atomics.load(page, DEVICE_SLEEPS_OFFSET / 4) === 1) kick();
    },
  };
}
