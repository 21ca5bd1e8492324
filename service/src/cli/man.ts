import type { Command, Option } from 'commander';
import { EXIT_HELP } from './exit.ts';

/** Lines of prose must not begin with a control character of troff. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(['.])/gm, '\\&$1')
    .replace(
      /[^\n -~]/gu,
      (letter) => `\\[u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );

const ENVIRONMENT = [
  [
    'WARPDRIVE_*',
    'Each option of serve: WARPDRIVE_PORT is --port. Flags win over it, it wins over the file.',
  ],
  ['WARPDRIVE_CONFIG', 'The configuration file, TOML or JSON.'],
  ['WARPDRIVE_URL', 'Address of the service, for the commands that call one.'],
  ['WARPDRIVE_ADMIN_TOKEN', 'The admin token, for serve and for the commands that call a service.'],
  ['WARPDRIVE_RUN_DIR', 'Folder of the attach socket and of the admin token.'],
  ['NO_COLOR', 'If set, top draws without colours.'],
] as const;

const SIGNALS = [
  [
    'SIGTERM, SIGINT',
    'Stop serve: /readyz says 503, after --drain-delay it listens no more, open streams get --shutdown-timeout. A second one exits 1 at once.',
  ],
  ['SIGHUP', 'serve reads the log level again.'],
] as const;

/** The manual page, in troff's man macros; made of what --help prints. */
export function manPage(program: Command, version: string): string {
  const commands = leaves(program);
  return [
    `.TH WARPDRIVE 1 "" "warpdrive ${version}" "User Commands"`,
    '.SH NAME',
    'warpdrive \\- streaming compression on WarpDrive accelerators',
    '.SH SYNOPSIS',
    '.B warpdrive',
    '.I COMMAND',
    '[options]',
    '.SH DESCRIPTION',
    escaped(program.description()),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    escaped(
      EXIT_HELP.trim()
        .replace(/^Exit codes: /, '')
        .replaceAll('\n', ' ')
        .replaceAll(' · ', '; '),
    ),
    '.SH SIGNALS',
    ...SIGNALS.flatMap(([name, text]) => item(name, text)),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, text]) => item(name, text)),
    '',
  ].join('\n');
}

const leaves = (command: Command): { path: string; command: Command }[] =>
  command.commands.flatMap((one) => [
    { path: one.name(), command: one },
    ...leaves(one).map(({ path, command: inner }) => ({ path: `${one.name()} ${path}`, command: inner })),
  ]);

const item = (name: string, text: string): string[] => ['.TP', `.B ${escaped(name)}`, escaped(text)];

function commandLines({ path, command }: { path: string; command: Command }): string[] {
  const options = command.createHelp().visibleOptions(command);
  return [
    `.SS ${escaped(`${path} ${command.usage()}`)}`,
    escaped(command.description()),
    ...options
      .filter(({ long }) => long !== '--help')
      .flatMap((option) => item(option.flags, meaning(option))),
  ];
}

function meaning({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const choices = argChoices === undefined ? '' : `; one of ${argChoices.join(', ')}`;
  const isSaid = defaultValue === undefined || defaultValue === false || defaultValue === '';
  return `${description}${choices}${isSaid ? '' : ` (default: ${defaultValueDescription ?? defaultValue})`}`;
}
