import { type ProblemCode, WarpDriveError } from '../../../shared/src/problem.ts';

/** For assert.throws and assert.rejects: a WarpDriveError of this code. */
export const withCode =
  (code: ProblemCode, message?: RegExp) =>
  (error: unknown): boolean =>
    error instanceof WarpDriveError && error.code === code && (message?.test(error.message) ?? true);
