import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Format } from '../../../../shared/src/format.ts';
import type { AttachMode } from '../../attach/protocol.ts';
import { connect, type Queue, type QueueJob, type WarpDrive } from '../../library/index.ts';
import { jsonPayload } from './payload.ts';
import type { BenchRun, WorkerTask } from './types.ts';

/** Runs one job; resolves or returns with what went in and came out. */
export interface JobRunner {
  runSync(): { bytesIn: number; bytesOut: number } | undefined;
  /** Undefined: the runner is synchronous only. */
  runAsync?(): Promise<{ bytesIn: number; bytesOut: number } | undefined>;
  close(): void;
}

const PACK = { gzip: gzipSync, zlib: deflateSync, deflate: deflateRawSync };
const UNPACK = { gzip: gunzipSync, zlib: inflateSync, deflate: inflateRawSync };
const HEADER_BYTES: Record<Format, number> = { gzip: 10, zlib: 2, deflate: 0 };
const LEVEL = 1;
/** Fresh memory is taken from the host this much at a time. */
const ARENA_BYTES = 64 * 1024 * 1024;
const DESTINATION_SLACK = 4096;

export async function createJobRunners(task: WorkerTask): Promise<JobRunner[]> {
  const { run } = task;
  const plain = jsonPayload(run.pktlen);
  if (run.path === 'soft') return Array.from({ length: run.contexts }, () => softRunner(run, plain));
  const wd = await connect({
    path: task.attachPath,
    mode: run.path satisfies AttachMode,
    name: 'bench',
    token: task.token,
  });
  const runners: JobRunner[] = [];
  for (let i = 0; i < run.contexts; i++) runners.push(await queueRunner(wd, run, plain));
  return runners;
}

function softRunner(run: BenchRun, plain: Buffer): JobRunner {
  const packed = PACK[run.format](plain, { level: LEVEL });
  return {
    runSync: () =>
      run.operation === 'compress'
        ? { bytesIn: plain.length, bytesOut: PACK[run.format](plain, { level: LEVEL }).length }
        : { bytesIn: packed.length, bytesOut: UNPACK[run.format](packed).length },
    close() {},
  };
}

async function queueRunner(wd: WarpDrive, run: BenchRun, plain: Buffer): Promise<JobRunner> {
  const queue = await wd.openQueue({ operation: run.operation });
  const input =
    run.operation === 'compress'
      ? plain
      : PACK[run.format](plain, { level: LEVEL }).subarray(HEADER_BYTES[run.format]);
  const sourceMemory = await wd.allocate(input.length);
  sourceMemory.bytes.set(input);
  const source = sourceMemory.bytes.subarray(0, input.length);
  const room = run.pktlen + DESTINATION_SLACK;
  const destinations = run.prefetch || wd.mode !== 'sva' ? await reused(wd, room, run.inflight) : fresh(room);
  const job = (): QueueJob => ({ format: run.format, level: LEVEL, source, destination: destinations() });
  return {
    runSync: () => measured(queue.runSync(job())),
    runAsync: async () => measured(await queue.run(job())),
    close() {
      queue.close();
      wd.close();
    },
  };
}

function measured(done: ReturnType<Queue['runSync']>): { bytesIn: number; bytesOut: number } | undefined {
  return done.outcome === 'ok' || done.outcome === 'end'
    ? { bytesIn: done.consumed, bytesOut: done.produced }
    : undefined;
}

/** Touched beforehand and used again and again, one a job in flight. */
async function reused(wd: WarpDrive, bytes: number, count: number): Promise<() => Uint8Array> {
  const buffers: Uint8Array[] = [];
  for (let i = 0; i < count; i++) buffers.push((await wd.allocate(bytes)).bytes.fill(1));
  let next = 0;
  return () => buffers[next++ % count] ?? new Uint8Array(bytes);
}

/** Never touched before: the engine's first write is an I/O page fault. */
function fresh(bytes: number): () => Uint8Array {
  const arenaBytes = Math.max(ARENA_BYTES, bytes);
  let arena = new Uint8Array(0);
  let at = 0;
  return () => {
    if (at + bytes > arena.length) {
      arena = new Uint8Array(arenaBytes);
      at = 0;
    }
    const piece = arena.subarray(at, at + bytes);
    at += Math.ceil(bytes / 4096) * 4096;
    return piece;
  };
}
