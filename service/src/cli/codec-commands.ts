import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_LEVEL, FORMATS, type Format, MAX_LEVEL, MIN_LEVEL } from '../../../shared/src/format.ts';
import { CORE_NAMES, type CoreName } from '../../../shared/src/telemetry.ts';
import { CommandError, EXIT, EXIT_HELP, type ExitCode } from './exit.ts';
import type { FileJob } from './file-codec.ts';

const STANDARD_STREAM = '-';
const SUFFIXES = { gzip: '.gz', zlib: '.zz', deflate: '.deflate' } as const satisfies Record<Format, string>;
/** What a suffix says of the content, and what takes its place when the file is decompressed. */
const KNOWN_SUFFIXES: Readonly<Record<string, { format: Format; replacement: string }>> = {
  '.gz': { format: 'gzip', replacement: '' },
  '.tgz': { format: 'gzip', replacement: '.tar' },
  '.zz': { format: 'zlib', replacement: '' },
  '.zlib': { format: 'zlib', replacement: '' },
  '.deflate': { format: 'deflate', replacement: '' },
};

interface FileFlags {
  output?: string;
  stdout?: boolean;
  force?: boolean;
  keep?: boolean;
  rm?: boolean;
  verbose?: boolean;
  quiet?: boolean;
  core: CoreName | 'auto';
}

type SetExit = (code: ExitCode) => void;

export function addCompress(program: Command, setExit: SetExit): void {
  fileCommand(program, 'compress', 'compress a file or standard input')
    .addOption(
      new Option('-F, --format <FORMAT>', 'container of the product').choices(FORMATS).default('gzip'),
    )
    .option('-l, --level <N>', `${MIN_LEVEL} is fastest, ${MAX_LEVEL} smallest`, levelArgument, DEFAULT_LEVEL)
    .option('-1, --fast', 'same as --level 1')
    .option('-9, --best', 'same as --level 9')
    .addHelpText(
      'after',
      `
Examples:
  $ warpdrive compress access.log            writes access.log.gz
  $ warpdrive compress --rm -9 access.log    and removes access.log
  $ tar cf - dir | warpdrive compress > dir.tar.gz
${EXIT_HELP}`,
    )
    .action(
      async (
        file: string,
        flags: FileFlags & { format: Format; level: number; fast?: true; best?: true },
      ) => {
        const { format } = flags;
        const level = flags.best ? MAX_LEVEL : flags.fast ? MIN_LEVEL : flags.level;
        const target = outputOf(file, flags, () => file + SUFFIXES[format]);
        await run(setExit, {
          ...common(file, target, flags),
          isText: false,
          open: (codec) => codec.compressStream({ format, level, owner: 'warpdrive compress' }),
        });
      },
    );
}

export function addDecompress(program: Command, setExit: SetExit): void {
  fileCommand(program, 'decompress', 'decompress a file or standard input')
    .addOption(
      new Option(
        '-F, --format <FORMAT>',
        'container of the input; auto goes by its suffix, else by its first bytes',
      )
        .choices([...FORMATS, 'auto'])
        .default('auto'),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ warpdrive decompress access.log.gz       writes access.log
  $ warpdrive decompress -c access.log.gz | less
  $ curl -sS https://example.com/a.tar.gz | warpdrive decompress | tar xf -
${EXIT_HELP}`,
    )
    .action(async (file: string, flags: FileFlags & { format: Format | 'auto' }) => {
      const known = suffixOf(file);
      const format = flags.format === 'auto' ? (known?.format ?? 'auto') : flags.format;
      const target = outputOf(file, flags, () => withoutSuffix(file));
      await run(setExit, {
        ...common(file, target, flags),
        isText: true,
        open: (codec) => codec.decompressStream({ format }),
      });
    });
}

function fileCommand(program: Command, name: string, summary: string): Command {
  return program
    .command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}, in this process; no service is needed.`)
    .argument('[FILE]', 'input; - is standard input', STANDARD_STREAM)
    .option('-o, --output <FILE>', 'output; - is standard output')
    .option('-c, --stdout', 'write to standard output')
    .option('-f, --force', 'replace an existing output; write compressed data to a terminal')
    .option('-k, --keep', 'keep the input (the default)')
    .option('--rm', 'remove the input after success')
    .option('-v, --verbose', 'print sizes, ratio and time')
    .option('-q, --quiet', 'draw no progress bar')
    .addOption(new Option('--core <NAME>', 'deflate core').choices(['auto', ...CORE_NAMES]).default('auto'));
}

async function run(setExit: SetExit, job: FileJob): Promise<void> {
  const { runFileJob } = await import('./file-codec.ts'); // the stack takes a moment to load; --help should not
  setExit(await runFileJob(job));
}

function common(input: string, output: string, flags: FileFlags): Omit<FileJob, 'isText' | 'open'> {
  if (flags.keep && flags.rm) throw new CommandError(EXIT.usage, '--keep and --rm contradict each other.');
  return {
    input,
    output,
    force: flags.force ?? false,
    remove: (flags.rm ?? false) && output !== STANDARD_STREAM,
    verbose: flags.verbose ?? false,
    quiet: flags.quiet ?? false,
    core: flags.core,
  };
}

function outputOf(file: string, flags: FileFlags, derive: () => string): string {
  if (flags.stdout) return STANDARD_STREAM;
  return flags.output ?? (file === STANDARD_STREAM ? STANDARD_STREAM : derive());
}

function suffixOf(file: string): { suffix: string; format: Format; replacement: string } | undefined {
  const found = Object.entries(KNOWN_SUFFIXES).find(
    ([suffix]) => file.endsWith(suffix) && file.length > suffix.length,
  );
  return found && { suffix: found[0], ...found[1] };
}

function withoutSuffix(file: string): string {
  const known = suffixOf(file);
  if (known !== undefined) return file.slice(0, -known.suffix.length) + known.replacement;
  throw new CommandError(
    EXIT.usage,
    `${file} has none of the suffixes ${Object.keys(KNOWN_SUFFIXES).join(' ')}; name the output with --output.`,
  );
}

function levelArgument(text: string): number {
  const level = Number(text);
  if (Number.isInteger(level) && level >= MIN_LEVEL && level <= MAX_LEVEL) return level;
  throw new InvalidArgumentError(`It must be ${MIN_LEVEL} to ${MAX_LEVEL}.`);
}
