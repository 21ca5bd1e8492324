import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  MonitorSample,
  QueueSnapshot,
  StatusSnapshot,
  Totals,
} from '../../../../shared/src/telemetry.ts';
import { arrange, COLUMNS, SORT_NAMES } from './columns.ts';
import { afterKey, splitKeys } from './keys.ts';
import { Model } from './model.ts';
import { wrapped } from './terminal.ts';
import { type Choices, footer, printable, view } from './view.ts';

const totals = (over: Partial<Totals> = {}): Totals => ({
  requests: 0,
  failures: 0,
  bytesIn: 0,
  bytesOut: 0,
  operations: 0,
  activeStreams: 0,
  faults: 0,
  fallbacks: 0,
  ...over,
});
const queue = (id: string, over: Partial<QueueSnapshot> = {}): QueueSnapshot => ({
  id,
  device: 'hisi_zip-0',
  qpId: 0,
  mdev: '',
  owner: { pid: 7, name: 'warpdrive' },
  mode: 'sva',
  operation: 'compress',
  priority: 0,
  state: 'started',
  depth: 1024,
  inFlight: 0,
  operations: 0,
  bytesIn: 0,
  bytesOut: 0,
  doorbells: 0,
  busy: 0,
  errors: 0,
  ...over,
});
const sample = (atMs: number, all: Totals, queues: QueueSnapshot[], busyNs = 0): MonitorSample => ({
  atMs,
  totals: all,
  queues,
  devices: [
    {
      name: 'hisi_zip-0',
      kind: 'emulated',
      hardware: 'zip-v3',
      bdf: '0000:75:00.0',
      faultModel: 'stall',
      queuesTotal: 64,
      queuesFree: 60,
      cores: [{ id: 0, name: 'wasm', where: 'polled', jobs: 0, busyNs }],
    },
  ],
  eventLoopDelayMs: 0.25,
  rssBytes: 64 * 1024 * 1024,
});
const status = (pid: number): StatusSnapshot => ({
  service: 'warpdrive',
  version: '1.2.3',
  node: 'v20.20.0',
  pid,
  startedAtMs: 0,
  atMs: 0,
  ready: true,
  draining: false,
  mode: 'sva',
  core: 'wasm',
  coreReason: 'chosen',
  emulated: true,
  totals: totals(),
});
const choices: Choices = {
  sort: 0,
  reverse: false,
  filter: '',
  isTyping: false,
  isPaused: false,
  isHelp: false,
  scroll: 0,
  skipped: 0,
  intervalMs: 1000,
};

function modelAfter(queues: [QueueSnapshot[], QueueSnapshot[]]): Model {
  const model = new Model();
  model.take({ type: 'snapshot', status: status(1), devices: [], mdevs: [], queues: [], faults: [] });
  model.take({ type: 'sample', sample: sample(1000, totals({ bytesIn: 1000 }), queues[0]), dropped: 0 });
  const second = totals({ bytesIn: 3000, bytesOut: 500, requests: 4 });
  model.take({ type: 'sample', sample: sample(3000, second, queues[1], 5e8), dropped: 2 });
  return model;
}

describe('Model', () => {
  it('turns totals of two samples into rates per second', () => {
    const { reading } = modelAfter([[queue('q/1')], [queue('q/1', { operations: 10, bytesIn: 2000 })]]);
    assert.equal(reading?.windowS, 2);
    assert.deepEqual(reading?.rates, {
      bytesIn: 1000,
      bytesOut: 250,
      operations: 0,
      requests: 2,
      failures: 0,
    });
    assert.equal(reading?.queues[0]?.operationsPerSec, 5);
    assert.equal(reading?.queues[0]?.bytesInPerSec, 1000);
    assert.equal(reading?.cores[0]?.busyRatio, 0.25);
    assert.equal(reading?.droppedSamples, 2);
  });

  it('compares nothing across a restart of the service', () => {
    const model = modelAfter([[], []]);
    const before = model.reading;
    model.take({ type: 'snapshot', status: status(2), devices: [], mdevs: [], queues: [], faults: [] });
    model.take({ type: 'sample', sample: sample(9000, totals({ bytesIn: 10 }), []), dropped: 0 });
    assert.equal(model.reading, before);
  });
});

describe('arrange', () => {
  const rows = modelAfter([
    [],
    [queue('q/2', { errors: 1 }), queue('q/10', { operation: 'decompress' }), queue('q/1', { errors: 5 })],
  ]).reading!.queues;
  const ids = (over: Partial<Choices>) => arrange(rows, { ...choices, ...over }).map((row) => row.queue.id);

  it('orders names as numbers count and figures from the largest', () => {
    assert.deepEqual(ids({}), ['q/1', 'q/2', 'q/10']);
    assert.deepEqual(ids({ sort: SORT_NAMES.indexOf('errors') }), ['q/1', 'q/2', 'q/10']);
    assert.deepEqual(ids({ sort: SORT_NAMES.indexOf('errors'), reverse: true }), ['q/10', 'q/2', 'q/1']);
  });

  it('keeps the rows that have every word', () => {
    assert.deepEqual(ids({ filter: 'DECOMP warp' }), ['q/10']);
    assert.deepEqual(ids({ filter: 'nobody' }), []);
  });
});

describe('afterKey', () => {
  const press = (text: string, from: Choices = choices) =>
    splitKeys(text).reduce<Choices | undefined>((now, key) => now && afterKey(key, now), from);

  it('quits by q and Ctrl-C, but types a q into the filter', () => {
    assert.equal(press('q'), undefined);
    assert.equal(press('\u0003'), undefined);
    assert.deepEqual(press('/qx\u007f\r'), { ...choices, filter: 'q' });
    assert.equal(press('/q\u0003'), undefined);
    assert.equal(press('/abc\u001b')?.filter, '');
  });

  it('pauses, sorts round all columns, reverses, scrolls rows and columns, changes the interval within limits', () => {
    assert.equal(press(' ')?.isPaused, true);
    assert.equal(press('S')?.sort, COLUMNS.length - 1);
    assert.equal(press('s'.repeat(COLUMNS.length))?.sort, 0);
    assert.equal(press('r')?.reverse, true);
    assert.equal(press('\u001b[B\u001b[B\u001b[A')?.scroll, 1);
    assert.equal(press('\u001b[C\u001b[C\u001b[D')?.skipped, 1);
    assert.equal(press('\u001b[C'.repeat(99))?.skipped, COLUMNS.length - 2);
    assert.equal(press('\u001b[D')?.skipped, 0);
    assert.equal(press('+'.repeat(9))?.intervalMs, 250);
    assert.equal(press('-'.repeat(9))?.intervalMs, 10_000);
    assert.equal(press('?')?.isHelp, true);
  });
});

describe('view', () => {
  const model = modelAfter([[], [queue('q/1', { owner: { pid: 9, name: 'evil\u001b[2J\u0007' } })]]);
  const base = { url: 'http://x', reading: model.reading, choices, nowMs: 10_000, readAtMs: 9_500 };
  const textOf = (over: Partial<Parameters<typeof view>[0]>) =>
    view({ ...base, state: { kind: 'live' }, ...over })
      .map(({ text }) => text)
      .join('\n');

  it('shows throughput, cores and queues with their units', () => {
    const text = textOf({});
    assert.match(text, /live/);
    assert.match(text, /in 1000 B\/s {2}out 250 B\/s {2}in:out 4\.00/);
    assert.match(text, /core {2}0 wasm polled \[\|{5} {15}\] {2}25 %/);
    assert.match(text, /QUEUEv +OWNER/);
    assert.match(textOf({ choices: { ...choices, skipped: COLUMNS.length - 2 } }), /QUEUEv +P99µS\n/);
  });

  it('never calls old figures live', () => {
    assert.match(textOf({ readAtMs: 1000 }), /STALE, figures are 9\.0 s old/);
    assert.match(textOf({ state: { kind: 'silent' } }), /STALE: the service is silent/);
    const state = { kind: 'reconnecting', retryAtMs: 12_000, reason: 'the service is restarting' } as const;
    assert.match(
      textOf({ state }),
      /RECONNECTING in 2\.0 s: the service is restarting; figures are 0\.5 s old/,
    );
    assert.match(textOf({ state, reading: undefined, readAtMs: undefined }), /no figures yet/);
    assert.match(textOf({ choices: { ...choices, isPaused: true } }), /PAUSED/);
  });

  it('breaks the totals between items where the screen is narrow, and loses none', () => {
    const lines = view({ ...base, state: { kind: 'live' } }).slice(1, 4);
    const rows = lines.flatMap((line) => wrapped(line, 40));
    assert.ok(rows.length > lines.length && rows.every(({ text }) => text.length <= 45));
    const items = (all: typeof lines) => all.flatMap(({ text }) => text.split('  '));
    assert.deepEqual(items(rows), items(lines));
  });

  it('lets no name of another process reach the terminal as a control sequence', () => {
    assert.match(textOf({}), /evil·\[2J·/);
    assert.equal(printable('a\u009bb\u0000'), 'a·b·');
    const typing = { ...choices, filter: 'ab', isTyping: true };
    assert.equal(footer({ ...base, state: { kind: 'live' }, choices: typing }).text, 'filter: ab_');
  });
});
