import type { PolledCore } from './engine/polled-core.ts';
import type { WorkerCore } from './engine/worker-core.ts';
import type { SqContext } from './queue-pair.ts';
import type { DecodedSqe } from './sqe-decoder.ts';

export type Core = PolledCore | WorkerCore;

/** A polled job may write this much: it bounds the time that a small input can hold the caller's thread. */
export const INLINE_OUTPUT_BYTES = 128 * 1024;

/**
 * Which engine core takes a request: the polled one if it is small, else the worker with the least to do. Where the
 * cores keep a stream's state to themselves, a stream stays on the core where it began.
 */
export class CoreChoice {
  /** By PASID and context address: two processes may have theirs at the same one. */
  private readonly streams = new Map<string, Core>();

  constructor(
    private readonly polled: PolledCore,
    private readonly workers: readonly WorkerCore[],
    private readonly inlineBytes: number,
    private readonly keepsStateInContext: boolean,
  ) {
    for (const worker of workers) worker.onWoken = () => this.collect();
  }

  /** @returns undefined when the core that must take it has no room now */
  choose(
    request: DecodedSqe,
    { operation, pasid }: Pick<SqContext, 'operation' | 'pasid'>,
  ): Core | undefined {
    // a compress stream's state is in its context on every core
    if (this.keepsStateInContext || !request.isStateful || operation === 'compress')
      return this.free(request);
    const key = `${pasid} ${request.context}`;
    const bound = request.isStreamNew ? undefined : this.streams.get(key);
    if (bound) return bound.hasRoom ? bound : undefined;
    const core = this.free(request);
    if (core) this.streams.set(key, core);
    return core;
  }

  private free(request: DecodedSqe): Core | undefined {
    const isSmall =
      request.sourceBytes <= this.inlineBytes && request.destinationBytes <= INLINE_OUTPUT_BYTES;
    if ((isSmall || this.workers.length === 0) && this.polled.hasRoom) return this.polled;
    return this.worker();
  }

  /** The worker core with the least to do; undefined when none has room. */
  worker(): WorkerCore | undefined {
    let best: WorkerCore | undefined;
    this.collect();
    for (const worker of this.workers)
      if (worker.hasRoom && worker.load < (best?.load ?? Number.POSITIVE_INFINITY)) best = worker;
    return best;
  }

  /** One wake-up for all cores: completions leave a queue in order, so one core's may wait for another's. */
  private collect(): void {
    for (const worker of this.workers) worker.collect();
  }
}
