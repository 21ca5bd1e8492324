import koffi from 'koffi';

const PROT_NONE = 0;
const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FIXED_NOREPLACE = 0x10_0000;

const libc = koffi.load('libc.so.6');
const mmap = libc.func(
  'void *mmap(void *at, size_t bytes, int protection, int flags, int fd, int64_t offset)',
) as (
  at: bigint | null,
  bytes: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
) => bigint;
const munmap = libc.func('int munmap(void *at, size_t bytes)') as (at: bigint, bytes: number) => number;

/** Private memory of this process that nobody has touched yet: no page of it is present. */
export function freshMemory(bytes: number): Uint8Array {
  return new Uint8Array(koffi.view(mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0), bytes));
}

/** The same at an address of the caller's choice. @throws Error when something is there already */
export function memoryAt(address: number, bytes: number): Uint8Array {
  const at = mmap(
    BigInt(address),
    bytes,
    PROT_READ_WRITE,
    MAP_PRIVATE_ANONYMOUS | MAP_FIXED_NOREPLACE,
    -1,
    0,
  );
  if (at !== BigInt(address)) throw new Error(`no memory at 0x${address.toString(16)}`);
  return new Uint8Array(koffi.view(at, bytes));
}

/** Address of memory of this process that may only be read; nobody has touched it. */
export function readOnlyAddress(bytes: number): number {
  return Number(mmap(null, bytes, PROT_READ, MAP_PRIVATE_ANONYMOUS, -1, 0));
}

/** An address of this process that nothing is mapped at. */
export function absentAddress(bytes: number): number {
  const at = mmap(null, bytes, PROT_NONE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  munmap(at, bytes);
  return Number(at);
}
