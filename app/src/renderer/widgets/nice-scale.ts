const STEPS = [1, 2, 2.5, 5, 10];

/** The smallest round number that is not below `value`: 1, 2, 2.5 or 5 times a power of ten. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.find((candidate) => candidate * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/**
 * The top of a chart's scale: grows at once, shrinks only when the curve would fit into less than 40 % of it, so that
 * the scale does not jump with every burst.
 */
export class CalmScale {
  top = 1;

  constructor(private readonly least: number) {
    this.top = least;
  }

  fit(largest: number): number {
    const wanted = Math.max(this.least, niceCeiling(largest * 1.05));
    if (wanted > this.top || largest < this.top * 0.4) this.top = wanted;
    return this.top;
  }
}
