import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pace } from './pace.ts';
import type { Frame } from './panel.ts';

/** A frame at a moment; only what Pace looks at. */
const frameAt = (atMs: number, changes: object = {}) =>
  ({
    window: { fromMs: atMs - 60_000, toMs: atMs, isZoomed: false },
    reading: { atMs },
    crosshairMs: undefined,
    markMs: undefined,
    palette: { text: 'dark' },
    service: { endpoint: { label: 'one' } },
    pause: undefined,
    connection: { kind: 'live' },
    ...changes,
  }) as unknown as Frame;

describe('Pace', () => {
  it('lets a panel draw once a second of readings, a little early too', () => {
    const pace = new Pace();
    const due = [0, 250, 500, 750, 990, 1_240, 2_000].map((atMs) => pace.isDue(frameAt(10_000 + atMs)));
    assert.deepEqual(due, [true, false, false, false, true, false, true]);
  });

  it('lets it draw at once when a person or the service changed what it shows', () => {
    const pace = new Pace();
    pace.isDue(frameAt(10_000));
    for (const changes of [
      { crosshairMs: 9_000 },
      { pause: { newReadings: 0, newFaults: 0 } },
      { service: { endpoint: { label: 'two' } } },
      { connection: { kind: 'reconnecting' } },
      { palette: { text: 'light' } },
      { window: { fromMs: 1_000, toMs: 2_000, isZoomed: true } },
    ])
      assert.equal(pace.isDue(frameAt(10_000, changes)), true, JSON.stringify(changes));
    assert.equal(pace.isDue(frameAt(10_000), 'a filter'), true);
    assert.equal(pace.isDue(frameAt(10_000), 'a filter'), false);
    pace.reset();
    assert.equal(pace.isDue(frameAt(10_000), 'a filter'), true);
  });
});
