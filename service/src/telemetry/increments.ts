import type { Format } from '../../../shared/src/format.ts';
import type { Operation } from '../../../shared/src/telemetry.ts';
import type { Counters, Outcome } from './counters.ts';

/** What was counted since the last report: name of one number, by how much it grew. */
export type Increments = Record<string, number>;

const SEPARATOR = '\t';
/** Numbers that also fall; they are taken back when the process that counted them is gone. */
export const GAUGE = 'gauge';

/** Reads the counters of one process as increments, for the process that adds them up. */
export class IncrementReader {
  private last = new Map<string, number>();
  constructor(private readonly counters: Counters) {}

  /** What changed since the last call. */
  read(): Increments {
    const now = flat(this.counters);
    const increments: Increments = {};
    for (const [name, value] of now) {
      const grown = value - (this.last.get(name) ?? 0);
      if (grown !== 0) increments[name] = grown;
    }
    this.last = now;
    return increments;
  }
}

function flat(counters: Counters): Map<string, number> {
  const values = new Map<string, number>();
  const put = (value: number, ...name: (string | number)[]) => values.set(name.join(SEPARATOR), value);
  for (const route of counters.routes.values()) {
    for (const { method, status, count } of route.read()) put(count, 'route', route.route, method, status);
    route.duration.values().forEach((value, i) => void put(value, 'routeTime', route.route, i));
  }
  for (const { op, format, outcomes, bytesIn, bytesOut, duration } of counters.jobs.values()) {
    for (const [outcome, count] of Object.entries(outcomes)) put(count, 'job', op, format, outcome);
    put(bytesIn, 'jobBytes', op, format, 'in');
    put(bytesOut, 'jobBytes', op, format, 'out');
    duration.values().forEach((value, i) => void put(value, 'jobTime', op, format, i));
  }
  for (const [reason, count] of counters.fallbacks) put(count, 'fallback', reason);
  put(counters.retries, 'retries');
  for (const [code, count] of counters.webSockets.closes) put(count, 'close', code);
  put(counters.activeStreams, GAUGE, 'activeStreams');
  put(counters.webSockets.sessions, GAUGE, 'sessions');
  put(counters.bufferedBytes(), GAUGE, 'buffered');
  return values;
}

/** Adds another process's increments. */
export function addIncrements(counters: Counters, increments: Increments): void {
  for (const [name, amount] of Object.entries(increments)) add(counters, name.split(SEPARATOR), amount);
}

function add(counters: Counters, [kind, a = '', b = '', c = '']: string[], amount: number): void {
  const job = () => counters.job(a as Operation, b as Format | 'auto');
  switch (kind) {
    case 'route':
      counters.route(a).add(b, Number(c), amount);
      return;
    case 'routeTime':
      counters.route(a).duration.add(Number(b), amount);
      return;
    case 'job':
      job().outcomes[c as Outcome] += amount;
      return;
    case 'jobBytes':
      if (c === 'in') job().bytesIn += amount;
      else job().bytesOut += amount;
      return;
    case 'jobTime':
      job().duration.add(Number(c), amount);
      return;
    case 'fallback':
      counters.fellBack(a, amount);
      return;
    case 'retries':
      counters.retries += amount;
      return;
    case 'close':
      counters.addCloses(Number(a), amount);
      return;
    case GAUGE:
      if (a === 'sessions') counters.webSockets.sessions += amount;
      else if (a === 'buffered') counters.bufferedElsewhere += amount;
      else counters.activeStreams += amount;
      return;
  }
}

/** Keeps the gauges out of many reports, so that they can be taken back. */
export class GaugeSum {
  private readonly sums = new Map<string, number>();

  add(increments: Increments): void {
    for (const [name, amount] of Object.entries(increments))
      if (name.startsWith(GAUGE)) this.sums.set(name, (this.sums.get(name) ?? 0) + amount);
  }

  /** Increments that bring every gauge back to zero. */
  takeBack(): Increments {
    const undo: Increments = {};
    for (const [name, value] of this.sums) if (value !== 0) undo[name] = -value;
    this.sums.clear();
    return undo;
  }
}
