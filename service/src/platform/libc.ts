/**
 * The calls of the host's C library that Node does not offer: shared mappings, another process's memory, socket
 * credentials. Linux only; the first call elsewhere fails with WD_E_ENODEV.
 */
import { closeSync, fchmodSync, ftruncateSync } from 'node:fs';
import type { Socket } from 'node:net';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { ffi } from './ffi.ts';

const OWNER_ONLY = 0o600;
const PROT_READ_WRITE = 1 | 2;
const MAP_SHARED = 1;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_BYTES = 12;
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const IPPROTO_TCP = 6;
const TCP_NOTSENT_LOWAT = 25;
const PR_SET_PTRACER = 0x59616d61;
const IOVEC_BYTES = 16;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

interface Libc {
  mmap(at: null, bytes: number, protection: number, flags: number, fd: number, offset: number): bigint;
  munmap(address: bigint, bytes: number): number;
  readProcess(
    pid: number,
    local: Buffer,
    localCount: number,
    remote: Buffer,
    remoteCount: number,
    flags: number,
  ): number;
  writeProcess(
    pid: number,
    local: Buffer,
    localCount: number,
    remote: Buffer,
    remoteCount: number,
    flags: number,
  ): number;
  getsockopt(fd: number, level: number, name: number, value: Buffer, length: Buffer): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number;
  memfdCreate(name: string, flags: number): number;
  fcntl(fd: number, command: number, value: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  schedYield(): number;
}

let loaded: Libc | undefined;

function libc(): Libc {
  if (loaded) return loaded;
  if (process.platform !== 'linux')
    throw new WarpDriveError('WD_E_ENODEV', `attaching processes needs Linux, this is ${process.platform}`);
  const library = ffi().load('libc.so.6');
  const vm =
    '(int pid, void *local, uint64_t localCount, void *remote, uint64_t remoteCount, uint64_t flags)';
  loaded = {
    mmap: library.func(
      'void *mmap(void *at, size_t bytes, int protection, int flags, int fd, int64_t offset)',
    ),
    munmap: library.func('int munmap(void *address, size_t bytes)'),
    readProcess: library.func(`int64_t process_vm_readv${vm}`),
    writeProcess: library.func(`int64_t process_vm_writev${vm}`),
    getsockopt: library.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int name, void *value, unsigned int length)'),
    memfdCreate: library.func('int memfd_create(const char *name, unsigned int flags)'),
    fcntl: library.func('int fcntl(int fd, int command, int value)'),
    prctl: library.func(
      'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
    ),
    schedYield: library.func('int sched_yield()'),
  };
  return loaded;
}

const errnoName = (): string => {
  const code = ffi().errno();
  return Object.entries(ffi().os.errno).find(([, value]) => value === code)?.[0] ?? `errno ${code}`;
};

/** A shared mapping of a file. After `unmap` no view of `buffer` may be touched: the process would crash. */
export interface SharedMapping {
  readonly buffer: ArrayBuffer;
  unmap(): void;
}

/** @throws WD_E_NO_MEMORY */
export function mapShared(fd: number, bytes: number): SharedMapping {
  const address = libc().mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0);
  if (address === MAP_FAILED)
    throw new WarpDriveError('WD_E_NO_MEMORY', `mmap of ${bytes} bytes failed: ${errnoName()}`, {
      errno: errnoName(),
    });
  let isMapped = true;
  return {
    buffer: ffi().view(address, bytes),
    unmap() {
      if (isMapped) libc().munmap(address, bytes);
      isMapped = false;
    },
  };
}

/**
 * Memory of zeros as a descriptor whose size nobody can change, so that no access of a mapping dies of SIGBUS.
 * @returns the descriptor; undefined where the host has none to give (memfd_create(2), F_ADD_SEALS in fcntl(2))
 */
export function createSealedMemory(name: string, bytes: number): number | undefined {
  const fd = libc().memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return undefined;
  try {
    ftruncateSync(fd, bytes);
    fchmodSync(fd, OWNER_ONLY);
    if (libc().fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) === 0) return fd;
  } catch {
    // as if there were none
  }
  closeSync(fd);
  return undefined;
}

/** Where a buffer's bytes are in this process. Valid as long as the buffer lives: V8 does not move backing stores. */
export const addressOf = (bytes: Uint8Array): number => Number(ffi().address(bytes));

export type TransferResult = { ok: true } | { ok: false; errno: string; moved: number };

const local = Buffer.alloc(IOVEC_BYTES);
const remote = Buffer.alloc(IOVEC_BYTES);

function transfer(
  call: 'readProcess' | 'writeProcess',
  pid: number,
  address: number,
  bytes: Uint8Array,
): TransferResult {
  if (bytes.length === 0) return { ok: true };
  local.writeBigUInt64LE(ffi().address(bytes), 0);
  local.writeBigUInt64LE(BigInt(bytes.length), 8);
  remote.writeBigUInt64LE(BigInt(address), 0);
  remote.writeBigUInt64LE(BigInt(bytes.length), 8);
  const moved = libc()[call](pid, local, 1, remote, 1, 0);
  if (moved === bytes.length) return { ok: true };
  return { ok: false, errno: moved < 0 ? errnoName() : 'EFAULT', moved: Math.max(0, moved) };
}

/** Copies another process's memory at `address` into `target` (process_vm_readv). */
export const readProcess = (pid: number, address: number, target: Uint8Array): TransferResult =>
  transfer('readProcess', pid, address, target);

/** Copies `source` to another process's memory at `address` (process_vm_writev). */
export const writeProcess = (pid: number, address: number, source: Uint8Array): TransferResult =>
  transfer('writeProcess', pid, address, source);

export interface PeerCredentials {
  pid: number;
  uid: number;
  gid: number;
}

/**
 * Who is at the other end of a Unix socket, as the kernel recorded it at connect (SO_PEERCRED).
 * @throws WD_E_EINVAL when the socket is not a connected Unix socket
 */
export function peerCredentials(socket: Socket): PeerCredentials {
  const fd = descriptorOf(socket);
  const value = Buffer.alloc(UCRED_BYTES);
  const length = Buffer.from(Uint32Array.of(UCRED_BYTES).buffer);
  if (fd === undefined || libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length) !== 0)
    throw new WarpDriveError('WD_E_EINVAL', 'the peer of this socket has no credentials', {
      errno: errnoName(),
    });
  return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
}

/**
 * Has the kernel take no more than this from us before it can send it (TCP_NOTSENT_LOWAT, tcp(7)): what a reader may
 * have on its way is not limited, but who does not read is known at once, not after 4 MiB. No effect where the host
 * does not know it.
 */
export function limitUnsent(socket: Socket, bytes: number): void {
  const fd = descriptorOf(socket);
  if (fd === undefined || process.platform !== 'linux') return;
  try {
    libc().setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, Buffer.from(Uint32Array.of(bytes).buffer), 4);
  } catch {
    // no foreign functions on this machine: the kernel's buffer is as large as it is
  }
}

/** Node keeps the descriptor on a handle that its types do not show. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return undefined;
  const fd: unknown = Reflect.get(handle, 'fd');
  return typeof fd === 'number' ? fd : undefined;
}

/** Lets `pid` read and write this process's memory where Yama restricts it (PR_SET_PTRACER). No effect elsewhere. */
export function allowTracer(pid: number): void {
  libc().prctl(PR_SET_PTRACER, pid, 0, 0, 0);
}

/** @returns what offers the CPU to other threads that wait for it (sched_yield(2)); undefined where the host has no such call */
export function cpuYield(): (() => void) | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return libc().schedYield;
  } catch {
    return undefined; // no foreign functions on this machine
  }
}
