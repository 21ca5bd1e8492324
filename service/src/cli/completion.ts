import { Argument, type Command, type Option } from 'commander';
import { EXIT_HELP } from './exit.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** A command with the words that lead to it, e.g. `mdev create`. */
interface Leaf {
  path: string;
  command: Command;
  subcommands: readonly Command[];
  options: readonly Option[];
}

const HELP = `
Examples:
  $ warpdrive completion bash > ~/.local/share/bash-completion/completions/warpdrive
  $ warpdrive completion zsh > "\${fpath[1]}/_warpdrive"
  $ warpdrive completion fish > ~/.config/fish/completions/warpdrive.fish
${EXIT_HELP}`;

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('print the completion script of a shell')
    .description('Prints a script that completes commands, options and values in bash, zsh or fish.')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(SHELLS))
    .addHelpText('after', HELP)
    .action((shell: Shell) => {
      process.stdout.write(completionScript(program, shell));
    });
}

export function completionScript(program: Command, shell: Shell): string {
  const leaves = leavesOf(program, '');
  if (shell === 'fish') return fishScript(leaves);
  const header = shell === 'zsh' ? '#compdef warpdrive\nautoload -U +X bashcompinit && bashcompinit\n' : '';
  return `${header}${bashScript(leaves)}`;
}

function leavesOf(command: Command, path: string): Leaf[] {
  const { commands } = command;
  const options = [...command.createHelp().visibleOptions(command)];
  return [
    { path, command, subcommands: commands, options },
    ...commands.flatMap((one) => leavesOf(one, path === '' ? one.name() : `${path} ${one.name()}`)),
  ];
}

const flagsOf = ({ short, long }: Option): string[] => [short, long].filter((flag) => flag !== undefined);
const takesValue = (option: Option): boolean => option.required || option.optional;

function bashScript(leaves: readonly Leaf[]): string {
  const known = leaves.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
  const values = leaves.flatMap(({ path, options }) =>
    options
      .filter((option) => option.argChoices !== undefined)
      .map(
        (option) =>
          `    ${flagsOf(option)
            .map((flag) => `"${path} ${flag}"`)
            .join('|')}) COMPREPLY=($(compgen -W "${option.argChoices?.join(' ')}" -- "$cur")); return ;;`,
      ),
  );
  const valued = leaves.flatMap(({ path, options }) =>
    options.filter(takesValue).flatMap((option) => flagsOf(option).map((flag) => `"${path} ${flag}"`)),
  );
  const words = leaves.map(({ path, command, subcommands, options }) => {
    const places = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
    const list = [...subcommands.map((one) => one.name()), ...places, ...options.flatMap(flagsOf)].join(' ');
    return `    "${path}") words="${list}" ;;`;
  });
  return `_warpdrive() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
    ${known.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $prev" in
${values.join('\n')}
    ${[...new Set(valued)].join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "$path" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [[ \${#COMPREPLY[@]} -gt 0 || "$cur" == -* ]] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _warpdrive warpdrive
`;
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fishScript(leaves: readonly Leaf[]): string {
  const lines = leaves.flatMap(({ path, subcommands, options }) => {
    const [first = '', second] = path.split(' ');
    const seen = [first, ...(second === undefined ? [] : [second])]
      .filter((word) => word !== '')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    const condition = quoted(seen === '' ? '__fish_use_subcommand' : seen);
    return [
      ...subcommands.map(
        (one) =>
          `complete -c warpdrive -n ${condition} -f -a ${one.name()} -d ${quoted(one.summary() || one.description())}`,
      ),
      ...options.map((option) => {
        const flags = [
          option.short === undefined ? '' : ` -s ${option.short.slice(1)}`,
          option.long === undefined ? '' : ` -l ${option.long.slice(2)}`,
        ].join('');
        const value = takesValue(option) ? ' -r' : '';
        const choices =
          option.argChoices === undefined ? '' : ` -f -a ${quoted(option.argChoices.join(' '))}`;
        return `complete -c warpdrive -n ${condition}${flags}${value}${choices} -d ${quoted(option.description)}`;
      }),
    ];
  });
  return `${lines.join('\n')}\n`;
}
