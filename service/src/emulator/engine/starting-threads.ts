import type { CoreRing } from './core-ring.ts';

/** A thread that takes longer, on a machine with so much else to do, is ended all the same. */
const LIMIT_MS = 2000;

const starting = new Set<CoreRing>();

/**
 * Has `process.exit` wait for a thread until it takes jobs, whoever calls it and why: exiting ends all threads, and koffi
 * aborts the whole process when the end meets its loading.
 */
export function awaitAtExit(ring: CoreRing): void {
  if (!process.listeners('exit').includes(waitForAll)) process.on('exit', waitForAll);
  starting.add(ring);
  void ring.started().then(() => starting.delete(ring));
}

function waitForAll(): void {
  const endMs = performance.now() + LIMIT_MS;
  for (const ring of starting) ring.waitUntilStarted(Math.max(0, endMs - performance.now()));
}
