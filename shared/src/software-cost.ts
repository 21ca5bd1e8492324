/** What the compression now going on costs node:zlib, measured on samples of the traffic itself. */
export interface SoftwareCost {
  /** Input bytes that one thread of node:zlib compresses in a second. */
  bytesPerSec: number;
  /** Compression input of all clients so far, the traffic that the samples stand for. */
  compressedBytes: number;
  /** How many samples the figure is made of, and their mean size. */
  samples: number;
  sampleBytes: number;
}

/** Pieces of traffic that node:zlib compressed too: how many, their bytes, and how long it took in all. */
export interface SoftwareSamples {
  count: number;
  bytes: number;
  us: number;
}
