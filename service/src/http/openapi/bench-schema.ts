import { z } from 'zod';
import { BENCH_EXPERIMENTS, type BenchRow, type BenchRun } from '../../../../shared/src/bench.ts';

const row: z.ZodType<BenchRow> = z.object({
  scenario: z.string(),
  isBaseline: z.boolean().describe('node:zlib'),
  processes: z.int(),
  jobBytes: z.int(),
  mbPerSec: z.number().describe('input, 10^6 bytes per second'),
  jobsPerSec: z.number(),
  meanUs: z.number(),
  p99Us: z.number(),
  cpuPercent: z.number().describe('clients and service, 100 is one core'),
  ratio: z.number().describe('original by compressed bytes'),
  failures: z.int(),
});

export const benchRun: z.ZodType<BenchRun> = z.object({
  id: z.string(),
  request: z.object({
    experiment: z.enum(BENCH_EXPERIMENTS),
    sizes: z.array(z.int()).readonly(),
    seconds: z.int(),
  }),
  machine: z.object({
    cpus: z.int(),
    model: z.string(),
    node: z.string(),
    core: z.string(),
    loadAverage: z.number(),
  }),
  startedAtMs: z.number(),
  endedAtMs: z.number().exactOptional(),
  outcome: z.enum(['running', 'done', 'cancelled', 'failed']),
  error: z.string().exactOptional(),
  progress: z.object({ done: z.int(), total: z.int(), what: z.string() }),
  rows: z.array(row),
});

export const benchRuns = z.object({ runs: z.array(benchRun) });
