import { WarpDriveError } from '../../../shared/src/problem.ts';

/** Exit codes; those from 64 on are the ones of BSD's sysexits. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  corruptData: 65,
  unavailable: 69,
  defect: 70,
  cannotCreate: 73,
  config: 78,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes: 0 done · 1 failed · 2 wrong usage · 65 corrupt or truncated data · 69 service or address not
available · 70 defect · 73 output cannot be created · 78 wrong configuration · 130 interrupted`;

/** Ends a command with a sentence for the user and an exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  if (!(error instanceof WarpDriveError)) return EXIT.failure;
  if (error.code === 'WD_E_INPUT_CORRUPT' || error.code === 'WD_E_INPUT_TRUNCATED') return EXIT.corruptData;
  return error.code === 'WD_E_ABORTED' ? EXIT.interrupted : EXIT.failure;
}
