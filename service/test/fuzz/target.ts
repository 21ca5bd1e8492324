/** What a fuzz target is. A target knows what its inputs mean and which answers are right; it knows no mutations. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs to start from; the corpus in the repository comes on top. */
  seeds(): Uint8Array[];
  /** Words that the mutator puts in. */
  readonly dictionary: readonly (string | Uint8Array)[];
  /** Inputs that run at once. */
  readonly width: number;
  readonly maxBytes: number;
  open(): Promise<FuzzSession>;
}

/** The thing under test, open. */
export interface FuzzSession {
  /** @returns a word for the count @throws Finding, or any error that must not come out */
  run(input: Uint8Array): Promise<string> | string;
  /** Between batches: what holds over many inputs, such as resources that are given back. @throws Finding */
  settle?(): Promise<void>;
  close(): Promise<void>;
}

/** The product did something that it must not do. */
export class Finding extends Error {}

/** @throws Finding */
export function expect(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Finding(what());
}

/** What a fuzz input may hold at most, in text, so that a message stays one line. */
export const shown = (bytes: Uint8Array): string =>
  JSON.stringify(Buffer.from(bytes).toString('latin1', 0, 200));
