/** A thread that saves the inputs at work when the main thread stands still: an endless loop leaves no other trace. */
import { Worker } from 'node:worker_threads';
import { saveInput } from './corpus.ts';

const MAX_BYTES = 1 << 20;
const STILL_MS = 60_000;

export interface Watch {
  /** The inputs that run now. */
  show(inputs: readonly Uint8Array[]): void;
  close(): Promise<unknown>;
}

/** Ends the process with 70 after a minute in one batch. */
export function watchFor(target: string): Watch {
  const shared = new SharedArrayBuffer(MAX_BYTES);
  const words = new Int32Array(shared, 0, 2); // batches begun, bytes of JSON behind these words
  const worker = new Worker(new URL('./watch-worker.js', import.meta.url), {
    workerData: { shared, target, stillMs: STILL_MS },
  });
  worker.unref();
  return {
    show(inputs) {
      const text = Buffer.from(JSON.stringify(inputs.map((input) => Buffer.from(input).toString('base64'))));
      if (text.length > MAX_BYTES - 8) return;
      new Uint8Array(shared, 8).set(text);
      words[1] = text.length;
      Atomics.add(words, 0, 1);
    },
    close: () => worker.terminate(),
  };
}

/** @returns the files of the inputs in the shared memory */
export function saveShown(target: string, shared: SharedArrayBuffer): string[] {
  const bytes = new Int32Array(shared, 0, 2)[1] ?? 0;
  const inputs = JSON.parse(Buffer.from(new Uint8Array(shared, 8, bytes)).toString()) as string[];
  return inputs.map((text) => saveInput(target, 'hang', Buffer.from(text, 'base64')));
}
