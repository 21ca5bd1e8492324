/**
 * Theil–Sen estimator: the median of the slopes between all pairs of points, which single spikes do not move.
 * @returns change of y by one unit of x; 0 with fewer than two points
 */
export function slopeOf(points: readonly { x: number; y: number }[]): number {
  const slopes: number[] = [];
  for (const [i, a] of points.entries())
    for (const b of points.slice(i + 1)) if (b.x !== a.x) slopes.push((b.y - a.y) / (b.x - a.x));
  slopes.sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  if (slopes.length === 0) return 0;
  const [low = 0, high = 0] =
    slopes.length % 2 === 1 ? [slopes[middle], slopes[middle]] : slopes.slice(middle - 1);
  return (low + high) / 2;
}
