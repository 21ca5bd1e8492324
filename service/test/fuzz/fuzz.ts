/** The loop: replay what is known, then mutate it, and keep what reaches code that nothing reached before. */
import { corpusOf } from './corpus.ts';
import { Coverage, type Places } from './coverage.ts';
import { type Mutator, mutatorOf, randomOf } from './mutator.ts';
import { Finding, type FuzzSession, type FuzzTarget } from './target.ts';

/** Inputs between two looks at the coverage. */
const BATCH = 64;
/** Inputs that run together while it is looked for the one that reached new code. */
const GROUP = 8;
/** An input whose end does not come is a finding. */
const DEADLINE_MS = 30_000;
/** A run stops here: the same defect again and again teaches nothing. */
const MAX_FINDINGS = 10;

export interface FuzzOptions {
  seed: number;
  /** New inputs after the replay of seeds and corpus. */
  executions?: number;
  seconds?: number;
  /** Without it there is no feedback: plain mutation of the seeds. */
  isGuided?: boolean;
  /** Told before inputs run, so that a watcher can save them if they never end. */
  beforeRun?(inputs: readonly Uint8Array[]): void;
  onBatch?(report: FuzzReport): void;
}

export interface FuzzReport {
  target: string;
  executions: number;
  replayed: number;
  outcomes: Record<string, number>;
  findings: { input: Uint8Array; message: string }[];
  /** Inputs that reached new code. */
  kept: Uint8Array[];
  /** Characters of the product's code in this process that ran. */
  covered: number;
}

export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const known = [...target.seeds(), ...corpusOf(target.name).map(({ input }) => input)];
  const session = await target.open();
  const coverage = options.isGuided === false ? undefined : new Coverage();
  const run = new Run(target, session, options, coverage, known);
  try {
    await run.replay(known);
    await run.mutate();
    return run.report;
  } finally {
    coverage?.close();
    await session.close();
  }
}

/** One input through a target. @returns what was found, if anything */
export async function replay(target: FuzzTarget, input: Uint8Array): Promise<FuzzReport> {
  const session = await target.open();
  const run = new Run(target, session, { seed: 0 }, undefined, []);
  try {
    await run.replay([input]);
    return run.report;
  } finally {
    await session.close();
  }
}

class Run {
  readonly report: FuzzReport;
  private readonly pool: Uint8Array[];

  constructor(
    private readonly target: FuzzTarget,
    private readonly session: FuzzSession,
    private readonly options: FuzzOptions,
    private readonly coverage: Coverage | undefined,
    known: readonly Uint8Array[],
  ) {
    this.pool = [...known];
    this.report = {
      target: target.name,
      executions: 0,
      replayed: 0,
      outcomes: {},
      findings: [],
      kept: [],
      covered: 0,
    };
  }

  async replay(inputs: readonly Uint8Array[]): Promise<void> {
    await this.runAll(inputs);
    this.report.replayed = inputs.length;
    this.coverage?.take();
  }

  async mutate(): Promise<void> {
    const { executions = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY, seed } = this.options;
    const end = performance.now() + seconds * 1000;
    const random = randomOf(seed);
    const mutator = mutatorOf(random, this.target.dictionary, this.target.maxBytes);
    const { report, coverage } = this;
    while (
      report.executions < executions &&
      performance.now() < end &&
      report.findings.length < MAX_FINDINGS
    ) {
      const count = Math.min(BATCH, executions - report.executions);
      const batch = Array.from({ length: count }, () => this.next(mutator, random));
      await this.runAll(batch);
      report.executions += count;
      const fresh = coverage?.take();
      if (coverage && fresh && fresh.size > 0) await this.keepThoseThatReach(fresh, batch, coverage);
      report.covered = coverage?.characters ?? 0;
      this.options.onBatch?.(report);
    }
  }

  private next(mutator: Mutator, random: (below: number) => number): Uint8Array {
    // the newest inputs reached what nothing else did: they get a third of the turns
    const from = random(3) === 0 ? this.pool.slice(-8) : this.pool;
    const pick = (): Uint8Array => from[random(from.length)] ?? new Uint8Array(1);
    return mutator.mutate(pick(), pick());
  }

  /** Runs the inputs again, first in groups, to see which of them reach the new places. */
  private async keepThoseThatReach(
    fresh: Places,
    inputs: readonly Uint8Array[],
    coverage: Coverage,
  ): Promise<void> {
    const size = inputs.length > GROUP ? GROUP : 1;
    for (let at = 0; at < inputs.length && fresh.size > 0; at += size) {
      const group = inputs.slice(at, at + size);
      const wanted = size === 1 ? fresh : copyOf(fresh);
      await this.runTogether(group);
      if (!coverage.claim(wanted)) continue;
      if (size > 1) await this.keepThoseThatReach(fresh, group, coverage);
      else {
        this.pool.push(...group);
        this.report.kept.push(...group);
      }
    }
  }

  private async runAll(inputs: readonly Uint8Array[]): Promise<void> {
    const { width } = this.target;
    for (let at = 0; at < inputs.length; at += width) await this.runTogether(inputs.slice(at, at + width));
    await this.settle(inputs);
  }

  private async runTogether(inputs: readonly Uint8Array[]): Promise<void> {
    this.options.beforeRun?.(inputs);
    if (this.target.width > 1) await Promise.all(inputs.map((input) => this.runOne(input)));
    else for (const input of inputs) await this.runOne(input);
  }

  /** What many inputs left behind. It is the fault of those that leave it behind alone, else of all of them. */
  private async settle(inputs: readonly Uint8Array[]): Promise<void> {
    const error = await this.settleError();
    if (error === undefined) return;
    const before = this.report.findings.length;
    for (const input of inputs) {
      await this.runOne(input);
      const own = await this.settleError();
      if (own !== undefined) this.found(input, own);
    }
    if (this.report.findings.length > before) return;
    for (const input of inputs) this.found(input, new Finding(`with others of its batch: ${error}`));
  }

  private async settleError(): Promise<unknown> {
    try {
      await this.session.settle?.();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  private async runOne(input: Uint8Array): Promise<void> {
    const { outcomes } = this.report;
    try {
      const outcome = await withDeadline(this.session.run(input));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    } catch (error) {
      this.found(input, error);
    }
  }

  private found(input: Uint8Array, error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    const message = error instanceof Finding ? error.message : (stack ?? String(error));
    this.report.findings.push({ input, message });
  }
}

const copyOf = (places: Places): Places => new Map([...places].map(([url, at]) => [url, new Set(at)]));

async function withDeadline<T>(work: Promise<T> | T): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Finding(`no end within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
