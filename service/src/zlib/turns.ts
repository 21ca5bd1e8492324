/** Input that one turn of the event loop may work on, about a millisecond. */
export const TURN_BYTES = 256 * 1024;

/** A step of work; @returns how many bytes it took, 0 when the task is over */
type Step = () => number;

const tasks: Step[] = [];
let isScheduled = false;

/**
 * Runs tasks on this thread in turns, between which the event loop does its other work: a thousand calls at once, or one of
 * a gigabyte, do not hold up timers and sockets.
 */
export function takeTurns(step: Step): void {
  tasks.push(step);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(turn);
}

function turn(): void {
  isScheduled = false;
  let bytes = 0;
  while (tasks.length > 0 && bytes < TURN_BYTES) {
    const step = tasks.shift();
    const taken = step?.() ?? 0;
    if (step && taken > 0) tasks.push(step);
    bytes += Math.max(taken, 1);
  }
  if (tasks.length > 0) schedule();
}
