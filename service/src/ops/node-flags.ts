import { setFlagsFromString } from 'node:v8';

/**
 * Flags of Node that the service runs with: in the first line of main.ts, in `npm start`, in the container image; workers
 * have them of their parent. V8 collects the whole heap when that, and the buffers outside it since the last time, reach a
 * limit. While little survives the limit sinks to some 50 MB: at full load a collection came every 40 to 80 ms, and every
 * request waited 10 to 20 ms for it. With the first two the limit begins at 128 MB, and after a collection it is four times
 * what survived, the most that V8 itself would give; nothing is reserved. The third makes collections of young objects, 5 to
 * 20 ms while connections come by the hundred, a fourth as large.
 */
export const NODE_FLAGS: readonly string[] = [
  '--initial-heap-size=128',
  '--heap-growing-percent=300',
  '--max-semi-space-size=4',
];

/**
 * How much bytecode V8 may put into one compiled function from those that it calls; 920 by itself. A small request passes
 * some hundred short functions, and what they hand to each other is never made where one has become part of the other: 7 %
 * of its time. For processes that serve alone, as code compiles a little longer. Not among the flags above, because a first
 * line of more than 127 characters is cut off by kernels before 5.1.
 */
export const inlineMore = (): void => setFlagsFromString('--max-inlined-bytecode-size-cumulative=3000');
