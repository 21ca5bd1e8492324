import type { Command, CommanderError } from 'commander';
import { suggest } from '../config/suggest.ts';

/** So many names that begin alike are still an answer. */
const MAX_NAMES = 3;

/** ` (Did you mean top?)` for a command or option that is unknown but near a known one, else empty. */
export function didYouMean(command: Command, { code, message }: CommanderError): string {
  const names = near(...unknownAndKnown(command, code, message));
  return names.length === 0 ? '' : `(Did you mean ${names.join(' or ')}?)\n`;
}

function unknownAndKnown(command: Command, code: string, message: string): [string, string[]] {
  switch (code) {
    case 'commander.unknownOption': {
      const [, given = ''] = /'(--[^'=]+)/.exec(message) ?? [];
      const options = command.createHelp().visibleOptions(command);
      return [given, options.flatMap(({ long }) => long ?? [])];
    }
    case 'commander.unknownCommand':
    case 'commander.excessArguments': // of a command that does something and has subcommands too
      return [command.args[0] ?? '', command.commands.map((one) => one.name())];
    default:
      return ['', []];
  }
}

/** Names that begin as the word does, or else the one that is a slip of the finger away, as git has it. */
function near(word: string, names: readonly string[]): string[] {
  const dashes = /^-*/.exec(word)?.[0] ?? '';
  const bare = word.slice(dashes.length);
  if (bare.length < 2) return [];
  const begun = names.filter((name) => name.startsWith(word));
  if (begun.length > 0 && begun.length <= MAX_NAMES) return begun;
  const one = suggest(
    bare,
    names.map((name) => name.slice(dashes.length)),
  );
  return one === undefined ? [] : [dashes + one];
}
