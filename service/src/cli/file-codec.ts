import { once } from 'node:events';
import { createReadStream, type Stats, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { Codec, CodecStream } from '../codec/codec.ts';
import { createHost } from '../host.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { CommandError, EXIT, type ExitCode } from './exit.ts';
import { type Output, outputFile, standardOutput } from './output-file.ts';
import { Progress } from './progress.ts';
import { bytesText } from './text.ts';

export const STANDARD_STREAM = '-';

export interface FileJob {
  /** `-` is standard input. */
  input: string;
  /** `-` is standard output. */
  output: string;
  force: boolean;
  /** Remove the input after success. */
  remove: boolean;
  verbose: boolean;
  quiet: boolean;
  core: CoreName | 'auto';
  /** Whether a terminal may be shown the product. */
  isText: boolean;
  open(codec: Codec): CodecStream;
}

const CLI_QUEUES = 2;

/** Runs one file through a stack inside this process; resolves to the exit code. */
export async function runFileJob(job: FileJob): Promise<ExitCode> {
  const source = inputStats(job.input);
  const output =
    job.output === STANDARD_STREAM
      ? standardOutput(job.force || job.isText)
      : outputFile(job.output, job.force);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    await transform(job, source, output, stop.signal);
    await output.commit(source);
    if (job.remove && job.input !== STANDARD_STREAM) await rm(job.input);
    return EXIT.ok;
  } catch (error) {
    await output.discard();
    if (stop.signal.aborted) return EXIT.interrupted;
    if (hasCode(error, 'EPIPE')) return EXIT.failure; // the reader of our output left, as `| head` does
    throw job.input === STANDARD_STREAM || error instanceof CommandError ? error : named(job.input, error);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

async function transform(job: FileJob, source: Stats | undefined, output: Output, signal: AbortSignal) {
  await opened(output);
  const cores = availableParallelism();
  const host = await createHost({ mode: 'sva', core: job.core, cores, queues: CLI_QUEUES }, silentLog);
  try {
    const input = job.input === STANDARD_STREAM ? process.stdin : createReadStream(job.input);
    const terminal = process.stderr.isTTY && !job.quiet ? process.stderr : undefined;
    const size = source?.isFile() ? source.size : undefined;
    const progress = new Progress(basename(job.input), size, terminal, systemClock);
    const stream = job.open(host.codec);
    await pipeline(input, progress, stream, output.stream, { signal });
    if (!job.verbose) return;
    const { bytesIn, bytesOut, core } = stream.result();
    const ratio = bytesOut === 0 ? 0 : bytesIn / bytesOut;
    process.stderr.write(
      `${job.input}: ${bytesText(bytesIn)} → ${bytesText(bytesOut)} (ratio ${ratio.toFixed(2)}) ` +
        `in ${progress.seconds.toFixed(2)} s, core ${core}\n`,
    );
  } finally {
    await host.close();
  }
}

/** Waits until the output file is open, so that a folder that cannot be written costs no work. */
async function opened({ stream }: Output): Promise<void> {
  if (stream === process.stdout) return;
  try {
    await once(stream, 'open');
  } catch (cause) {
    throw new CommandError(EXIT.cannotCreate, `The output cannot be created: ${message(cause)}`, { cause });
  }
}

function inputStats(path: string): Stats | undefined {
  if (path === STANDARD_STREAM) return undefined;
  try {
    const stats = statSync(path);
    if (!stats.isDirectory()) return stats;
  } catch (cause) {
    throw new CommandError(EXIT.failure, `${path} cannot be read: ${message(cause)}`, { cause });
  }
  throw new CommandError(
    EXIT.failure,
    `${path} is a folder; pack it first: tar cf - ${path} | warpdrive compress`,
  );
}

/** `no such file or directory` of Node's `ENOENT: no such file or directory, stat '/x'`: the path is said beside it. */
const message = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/^[A-Z]+: ([^,]+), .*$/s, '$1');
const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** The same error with the file's name in front of its message. */
function named(path: string, error: unknown): unknown {
  if (error instanceof Error) error.message = `${path}: ${error.message}`;
  return error;
}
