import { type Request, Router } from 'express';
import { z } from 'zod';
import {
  BENCH_EXPERIMENTS,
  BENCH_SIZES,
  type BenchControl,
  MAX_BENCH_BYTES,
  MAX_BENCH_SECONDS,
  MAX_BENCH_SIZES,
  MIN_BENCH_BYTES,
} from '../../../shared/src/bench.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Access } from '../ops/access.ts';
import { adminBody, requireAdmin } from './admin.ts';
import { parsed } from './parsed.ts';

export const benchBody = z.strictObject({
  experiment: z.enum(BENCH_EXPERIMENTS).default('sizes'),
  sizes: z
    .array(z.number().int().min(MIN_BENCH_BYTES).max(MAX_BENCH_BYTES))
    .min(1)
    .max(MAX_BENCH_SIZES)
    .optional(),
  seconds: z.number().int().min(1).max(MAX_BENCH_SECONDS).default(1),
});

/** /v1/bench: anyone may read the comparison runs; the administrator starts and cancels them, one at a time. */
export function benchRoutes({ bench, access }: { bench?: BenchControl; access: Access }): Router {
  const router = Router({ strict: true, caseSensitive: true });
  router.get('/v1/bench', (_req, res) => void res.json({ runs: need(bench).runs() }));
  router.post('/v1/bench', adminBody(access), (req, res) => {
    const { experiment, sizes, seconds } = parsed(benchBody, req.body ?? {});
    const run = need(bench).start({ experiment, seconds, sizes: sizes ?? BENCH_SIZES[experiment] });
    res.status(202).location(`/v1/bench/${run.id}`).json(run);
  });
  router.delete('/v1/bench/:id', (req: Request<{ id: string }>, res) => {
    requireAdmin(req, access);
    res.json(need(bench).cancel(req.params.id));
  });
  return router;
}

function need(bench: BenchControl | undefined): BenchControl {
  if (bench) return bench;
  throw new WarpDriveError('WD_E_ENODEV', 'this process runs no comparisons', { errno: 'ENODEV' });
}
