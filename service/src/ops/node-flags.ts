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
