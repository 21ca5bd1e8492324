import { Command, CommanderError } from 'commander';
import { VERSION } from '../ops/package.ts';
import { addBench } from './bench/command.ts';
import { addCompress, addDecompress } from './codec-commands.ts';
import { addCompletion } from './completion.ts';
import { didYouMean } from './did-you-mean.ts';
import { addDoctor } from './doctor/command.ts';
import { CommandError, EXIT, EXIT_HELP, type ExitCode, exitCodeOf } from './exit.ts';
import { manPage } from './man.ts';
import { addMdev } from './mdev.ts';
import { addServe } from './serve.ts';
import { addDevices, addFaults, addQueues, addStatus } from './service-commands.ts';
import { addSysfs } from './sysfs.ts';
import { addTop } from './top/command.ts';

const HELP = `
Examples:
  $ warpdrive serve                          service on http://127.0.0.1:8080
  $ warpdrive compress big.log               writes big.log.gz, without a service
  $ tar cf - dir | warpdrive compress > dir.tar.gz
  $ warpdrive top                            what the running service does, live
  $ warpdrive bench --experiment deck        the two experiments of the 2018 deck
${EXIT_HELP}`;

/** The whole command line, not yet run. */
export function createProgram(setExit: (code: ExitCode) => void): Command {
  const program = new Command('warpdrive')
    .description('Streaming compression on WarpDrive accelerators.')
    .version(VERSION)
    .showSuggestionAfterError(false)
    .addHelpText('after', HELP)
    .configureHelp({ showGlobalOptions: false });
  addServe(program);
  addCompress(program, setExit);
  addDecompress(program, setExit);
  addStatus(program);
  addDevices(program);
  addQueues(program);
  addFaults(program);
  addTop(program, setExit);
  addDoctor(program, setExit);
  addBench(program);
  addMdev(program);
  addSysfs(program);
  addCompletion(program);
  program
    .command('man')
    .summary('print the manual page')
    .description('Prints the manual page in troff: warpdrive man | man -l -')
    .addHelpText('after', `\nExamples:\n  $ warpdrive man | man -l -\n${EXIT_HELP}`)
    .action(() => void process.stdout.write(manPage(program, VERSION)));
  return program;
}

/** Runs the command line; resolves to the exit code, or to undefined while a service runs on. */
export async function run(argv: readonly string[]): Promise<ExitCode | undefined> {
  let code: ExitCode | undefined;
  const program = createProgram((value) => {
    code = value;
  });
  for (const command of withSubcommands(program))
    command.exitOverride((error) => {
      const [asked, topic] = command.args;
      if (error.code === 'commander.help' && asked === 'help' && topic !== undefined)
        process.stderr.write(`error: unknown command '${topic}'\n`);
      if (error.message.startsWith('error: '))
        process.stderr.write(`${didYouMean(command, error)}(--help shows usage)\n`);
      throw error;
    });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    process.stderr.write(`warpdrive: ${sentence(error)}\n`);
    return exitCodeOf(error);
  }
}

const withSubcommands = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
];

function sentence(error: unknown): string {
  if (error instanceof CommandError || !(error instanceof Error))
    return String(error instanceof Error ? error.message : error);
  return 'code' in error && typeof error.code === 'string' && !error.message.includes(error.code)
    ? `${error.message} (${error.code})`
    : error.message;
}
