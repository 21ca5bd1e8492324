import { chmodSync, constants, mkdirSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { OPERATIONS } from '../../../shared/src/telemetry.ts';
import { type PeerCredentials, peerCredentials } from '../platform/libc.ts';
import type { Log } from '../platform/log.ts';
import { removeOrphanedFiles } from '../platform/shared-file.ts';
import { errnoOf } from './errno.ts';
import type { ForeignProcess, ForeignProcesses } from './foreign-process.ts';
import {
  ATTACH_MODES,
  ATTACH_VERSION,
  encodeFrame,
  type Frame,
  FrameReader,
  OPCODE,
  PayloadReader,
  PayloadWriter,
} from './protocol.ts';

/** Owner and group of the socket file may connect; nobody else. */
const SOCKET_MODE = 0o660;
const FOLDER_MODE = 0o750;
const STICKY = 0o1000;
const MAX_CONNECTIONS = 256;
const MAX_NAME_LENGTH = 64;
/** Answers and notices that wait for a peer that does not read; beyond this it is cut off. */
const MAX_UNREAD_BYTES = 1024 * 1024;

export interface AttachServerOptions {
  path: string;
  processes: ForeignProcesses;
  /** Whether `token` gives the admin right, which mode noiommu needs. */
  isAdminToken: (token: string) => boolean;
  log: Log;
}

/** The Unix socket through which other processes get queues. Closing a connection is the death of its process. */
export class AttachServer {
  private readonly server: Server;
  private readonly sessions = new Set<AttachSession>();

  constructor(private readonly options: AttachServerOptions) {
    this.server = createServer((socket) => this.accept(socket));
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  /**
   * A socket that a killed service left behind is replaced; one that is answered is another service's.
   * @throws WD_E_EBUSY; WD_E_EACCES for a folder in which others could replace it; Error when it cannot listen there
   */
  async listen(): Promise<void> {
    const { path } = this.options;
    if (await isAnswered(path))
      throw new WarpDriveError('WD_E_EBUSY', `another service attaches processes at ${path}`, { path });
    mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
    checkFolder(dirname(path));
    rmSync(path, { force: true });
    removeOrphanedFiles();
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(path, resolve);
    });
    chmodSync(path, SOCKET_MODE);
  }

  async close(): Promise<void> {
    for (const session of this.sessions) {
      session.destroy();
      session.release(); // now, not at the socket's own event, because the device goes away next
    }
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(socket: Socket): void {
    const { processes, isAdminToken, log } = this.options;
    let peer: PeerCredentials;
    try {
      peer = peerCredentials(socket);
    } catch (error) {
      log.warn({ err: error }, 'attach refused: no credentials');
      socket.destroy();
      return;
    }
    const session = new AttachSession(socket, peer, processes, isAdminToken, log.child({ peer: peer.pid }));
    this.sessions.add(session);
    socket.on('close', () => {
      this.sessions.delete(session);
      session.release();
    });
  }
}

/** Where another user may put files in the socket's place, processes would attach to that user's program. */
function checkFolder(folder: string): void {
  const { uid, mode } = statSync(folder);
  const isOurs = uid === process.getuid?.() || uid === 0;
  const isOpen = (mode & constants.S_IWOTH) !== 0 && (mode & STICKY) === 0;
  if (isOurs && !isOpen) return;
  const why = isOurs ? 'is writable by everybody' : 'belongs to another user';
  throw new WarpDriveError('WD_E_EACCES', `${folder} ${why}; see --attach-socket`, { path: folder });
}

/** A process chooses its name; terminals and logs that show it must not take it for commands. */
const shownName = (name: string): string =>
  name.slice(0, MAX_NAME_LENGTH).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
}

/** One attached process: its requests, in order, against the kernel. Owns the process context until `release`. */
class AttachSession {
  private readonly reader = new FrameReader();
  private process: ForeignProcess | undefined;
  private isGreeted = false;

  constructor(
    private readonly socket: Socket,
    private readonly peer: PeerCredentials,
    private readonly processes: ForeignProcesses,
    private readonly isAdminToken: (token: string) => boolean,
    private readonly log: Log,
  ) {
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', (error) => log.info({ err: error }, 'attached process left'));
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Gives everything back that the process had: queues, address space, shared files. Idempotent. */
  release(): void {
    this.process?.close();
    this.process = undefined;
  }

  private receive(chunk: Buffer): void {
    try {
      for (const frame of this.reader.push(chunk)) this.handle(frame);
    } catch (error) {
      this.log.warn({ err: error }, 'attach protocol violated');
      this.socket.destroy();
    }
    // who does not read its answers gets no more of them
    if (!this.socket.writableNeedDrain) return;
    this.socket.pause();
    this.socket.once('drain', () => this.socket.resume());
  }

  private handle(frame: Frame): void {
    if (frame.opcode === OPCODE.kick) {
      this.processes.kick();
      return;
    }
    let answer: Buffer;
    try {
      const body = this.execute(frame.opcode, new PayloadReader(frame.payload));
      answer = encodeFrame(frame.opcode, frame.sequence, body.finish());
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.log.info({ opcode: frame.opcode, reason: message }, 'attach request refused');
      const code = error instanceof WarpDriveError ? error.code : '';
      const body = new PayloadWriter().text(message).text(code).finish();
      answer = encodeFrame(frame.opcode, frame.sequence, body, errnoOf(error));
    }
    this.socket.write(answer);
  }

  private execute(opcode: number, body: PayloadReader): PayloadWriter {
    if (opcode === OPCODE.hello) return this.hello(body);
    if (!this.isGreeted)
      throw new WarpDriveError('WD_E_EINVAL', 'the first request must be hello', { field: 'opcode' });
    if (opcode === OPCODE.attach) return this.attach(body);
    const { process } = this;
    if (!process) throw new WarpDriveError('WD_E_EINVAL', 'attach first', { field: 'opcode' });
    switch (opcode) {
      case OPCODE.openQueue: {
        const operation = OPERATIONS[body.u8()];
        const priority = body.u8();
        if (!operation)
          throw new WarpDriveError('WD_E_EINVAL', 'operation is neither 0 nor 1', { field: 'operation' });
        const queue = process.openQueue({ operation, priority });
        const { handle } = queue;
        handle.onCompletion(() =>
          this.notify(handle.state === 'stopped' ? OPCODE.queueLost : OPCODE.interrupt, handle.qpId),
        );
        return new PayloadWriter()
          .u16(queue.handle.qpId)
          .u16(queue.handle.hardware === 'zip-v2' ? 2 : 3)
          .u32(queue.mmioBytes)
          .u32(queue.dusBytes)
          .text(queue.regionPath);
      }
      case OPCODE.startQueue:
        process.startQueue(body.u16());
        return new PayloadWriter();
      case OPCODE.closeQueue:
        process.closeQueue(body.u16());
        return new PayloadWriter();
      case OPCODE.mapDma: {
        const [virtual, iova, bytes, flags] = [body.u64(), body.u64(), body.u64(), body.u32()];
        process.mapDma(virtual, iova, bytes, { read: (flags & 1) !== 0, write: (flags & 2) !== 0 });
        return new PayloadWriter();
      }
      case OPCODE.unmapDma: {
        const [iova, bytes] = [body.u64(), body.u64()];
        return new PayloadWriter().u64(process.unmapDma(iova, bytes));
      }
      case OPCODE.allocateDma: {
        const bytes = body.u64();
        const made = process.allocateDma(bytes);
        return new PayloadWriter().u64(made.address).u64(made.bytes).text(made.path);
      }
      default:
        throw new WarpDriveError('WD_E_ENOTTY', `opcode ${opcode} is not known`, {
          field: 'opcode',
          errno: 'ENOTTY',
        });
    }
  }

  private hello(body: PayloadReader): PayloadWriter {
    const version = body.u32();
    if (version !== ATTACH_VERSION)
      throw new WarpDriveError(
        'WD_E_EINVAL',
        `attach version ${version}, this service speaks ${ATTACH_VERSION}`,
        {
          field: 'version',
        },
      );
    this.isGreeted = true;
    return new PayloadWriter().u32(ATTACH_VERSION).u32(process.pid);
  }

  private attach(body: PayloadReader): PayloadWriter {
    if (this.process) throw new WarpDriveError('WD_E_EBUSY', 'attached already', { errno: 'EBUSY' });
    const mode = ATTACH_MODES[body.u8()];
    const name = body.text();
    const token = body.text();
    if (!mode)
      throw new WarpDriveError('WD_E_EINVAL', `mode is none of ${ATTACH_MODES.join(', ')}`, {
        field: 'mode',
      });
    if (mode === 'noiommu' && !this.isAdminToken(token))
      throw new WarpDriveError('WD_E_EPERM', 'mode noiommu needs the admin token', {
        field: 'token',
        errno: 'EPERM',
      });
    this.process = this.processes.attach(
      { mode, owner: { pid: this.peer.pid, name: shownName(name) } },
      this.peer,
      this.isAdminToken(token),
    );
    this.log.info({ mode, name: shownName(name) }, 'process attached');
    return new PayloadWriter();
  }

  private notify(opcode: number, qpId: number): void {
    if (this.socket.writableLength > MAX_UNREAD_BYTES) {
      this.log.warn({ limitBytes: MAX_UNREAD_BYTES }, 'attached process reads nothing: cut off');
      this.socket.destroy();
      return;
    }
    this.socket.write(encodeFrame(opcode, 0, new PayloadWriter().u16(qpId).finish()));
  }
}
