export interface Point {
  x: number;
  y: number;
}

/**
 * Readings of several channels over one time axis, in typed arrays of fixed size: the oldest reading makes room for
 * the newest, and nothing is allocated per reading. NaN stands for "unknown" and is drawn as a gap.
 */
export class TimeRing<Channel extends string> {
  private readonly times: Float64Array;
  private readonly values = new Map<Channel, Float64Array>();
  /** Readings ever pushed; `count - 1` is the newest one's sequence number. */
  private count = 0;

  constructor(
    channels: readonly Channel[],
    private readonly capacity: number,
  ) {
    this.times = new Float64Array(capacity);
    for (const channel of channels) this.values.set(channel, new Float64Array(capacity));
  }

  get length(): number {
    return Math.min(this.count, this.capacity);
  }

  clear(): void {
    this.count = 0;
  }

  /** Adds one reading. Times must ascend; a reading that is not newer than the last one is left out. */
  push(atMs: number, reading: Readonly<Record<Channel, number>>): void {
    if (this.count > 0 && atMs <= this.timeOf(this.count - 1)) return;
    const slot = this.count % this.capacity;
    this.times[slot] = atMs;
    for (const [channel, values] of this.values) values[slot] = reading[channel];
    this.count++;
  }

  /** Times of the oldest and the newest reading; undefined while there is none. */
  get extent(): { fromMs: number; toMs: number } | undefined {
    if (this.count === 0) return undefined;
    return { fromMs: this.timeOf(this.count - this.length), toMs: this.timeOf(this.count - 1) };
  }

  /** Times of the readings from `fromMs` to `toMs`, oldest first. */
  *timesBetween(fromMs: number, toMs: number): Generator<number> {
    const end = this.firstAfter(toMs);
    for (let seq = this.firstAfter(fromMs - 1); seq < end; seq++) yield this.timeOf(seq);
  }

  /** The value of the newest reading at or before `atMs`; NaN where there is none within `withinMs`. */
  valueAt(channel: Channel, atMs: number, withinMs: number): number {
    const seq = this.firstAfter(atMs) - 1;
    if (seq < this.count - this.length || atMs - this.timeOf(seq) > withinMs) return Number.NaN;
    return this.valueOf(channel, seq);
  }

  /**
   * Fills `target` with the readings from `fromMs` to `toMs` and returns how many points it wrote. More readings
   * than `points` are thinned to the smallest and the largest of each bucket, so that no spike disappears; buckets
   * start at multiples of their size in the sequence, because a curve must not shimmer while it moves.
   */
  window(channel: Channel, fromMs: number, toMs: number, target: Point[], points = target.length): number {
    // one reading more on the left lets the curve enter at the edge instead of beside it
    const first = Math.max(this.firstAfter(fromMs) - 1, this.count - this.length);
    const end = this.firstAfter(toMs);
    const size = bucketSize(end - first, Math.min(points, target.length));
    let written = 0;
    const write = (seq: number) => {
      const point = target[written];
      if (point === undefined) return;
      point.x = this.timeOf(seq);
      point.y = this.valueOf(channel, seq);
      written++;
    };
    for (let seq = first; seq < end; ) {
      const bucketEnd = Math.min(end, (Math.floor(seq / size) + 1) * size);
      const [early, late] = this.extremes(channel, seq, bucketEnd);
      write(early);
      if (late !== early) write(late);
      seq = bucketEnd;
    }
    return written;
  }

  /** Sequence numbers of a bucket's smallest and largest value in order of time; a gap in the bucket wins. */
  private extremes(channel: Channel, from: number, end: number): [number, number] {
    let low = from;
    let high = from;
    for (let seq = from; seq < end; seq++) {
      const value = this.valueOf(channel, seq);
      if (Number.isNaN(value)) return [seq, seq];
      if (value < this.valueOf(channel, low)) low = seq;
      if (value > this.valueOf(channel, high)) high = seq;
    }
    return low < high ? [low, high] : [high, low];
  }

  /** Sequence number of the first reading later than `atMs`. */
  private firstAfter(atMs: number): number {
    let low = this.count - this.length;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.timeOf(middle) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private timeOf(seq: number): number {
    return this.times[seq % this.capacity] ?? Number.NaN;
  }

  private valueOf(channel: Channel, seq: number): number {
    return this.values.get(channel)?.[seq % this.capacity] ?? Number.NaN;
  }
}

/** The smallest power of two that fits `count` readings into `points`, two a bucket (plus one cut bucket). */
function bucketSize(count: number, points: number): number {
  let size = 1;
  while (size === 1 ? count > points : (Math.ceil(count / size) + 1) * 2 > points) size *= 2;
  return size;
}
