import type { Clock } from '../../platform/clock.ts';
import { CommandError, EXIT, type ExitCode } from '../exit.ts';
import { Feed } from './feed.ts';
import { afterKey, splitKeys } from './keys.ts';
import { Model, type Reading } from './model.ts';
import { Terminal } from './terminal.ts';
import { type Choices, footer, type ViewInput, view } from './view.ts';

export interface TopOptions {
  url: string;
  token: string | undefined;
  once: boolean;
  json: boolean;
  choices: Choices;
  clock: Clock;
}

type Wake = () => void;

/** Everything between the feed and an output: the newest reading and the state it stands in. */
class Monitor {
  readonly model = new Model();
  readonly feed: Feed;
  readAtMs: number | undefined;

  constructor(
    readonly options: TopOptions,
    onChange: Wake,
  ) {
    const url = new URL('/v1/monitor', options.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.feed = new Feed(url, options.token, options.clock, Math.random, {
      onMessage: (message) => {
        this.model.take(message);
        if (message.type !== 'sample' || this.model.reading === undefined) return;
        this.readAtMs = options.clock.wallMs();
        onChange();
      },
      onState: onChange,
    });
    this.feed.connect();
  }

  input(reading: Reading | undefined, choices: Choices, readAtMs: number | undefined): ViewInput {
    const { url, clock } = this.options;
    return { url, state: this.feed.state, reading, choices, nowMs: clock.wallMs(), readAtMs };
  }
}

export function runTop(options: TopOptions): Promise<ExitCode> {
  // timers of the clock do not keep the process alive; waiting for a service to come back should
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const { stdin, stdout } = process;
  const isScreen = stdin.isTTY && stdout.isTTY && !options.once && !options.json;
  return (isScreen ? screen(options) : print(options)).finally(() => clearInterval(keepAlive));
}

/** For scripts and pipes: a reading as text or as one line of JSON, once or at every interval. */
async function print(options: TopOptions): Promise<ExitCode> {
  const { stdout } = process;
  let wake: Wake = () => {};
  let isClosed = false;
  const monitor = new Monitor(options, () => wake());
  const onEnd = () => {
    isClosed = true;
    wake();
  };
  stdout.on('error', onEnd); // the reader went away
  process.once('SIGINT', onEnd).once('SIGTERM', onEnd);
  try {
    for (let shownAtMs = 0; !isClosed; ) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      const { state } = monitor.feed;
      const { reading } = monitor.model;
      if (options.once && state.kind === 'reconnecting')
        throw new CommandError(
          EXIT.unavailable,
          `No service answers at ${options.url}: ${state.reason}. Start one with "warpdrive serve".`,
        );
      if (state.kind === 'reconnecting') process.stderr.write(`warpdrive: reconnecting: ${state.reason}\n`);
      if (isClosed || state.kind !== 'live' || reading === undefined) continue;
      if (stdout.writableNeedDrain) continue; // a slow reader misses readings, and nothing piles up
      if (reading.sample.atMs - shownAtMs < options.choices.intervalMs) continue;
      shownAtMs = reading.sample.atMs;
      stdout.write(text(monitor, reading, options));
      if (options.once) break;
    }
    return EXIT.ok;
  } finally {
    monitor.feed.close();
  }
}

function text(monitor: Monitor, reading: Reading, { json, choices }: TopOptions): string {
  if (json) return `${JSON.stringify(reading)}\n`;
  const lines = view(monitor.input(reading, choices, monitor.readAtMs)).map((line) => line.text.trimEnd());
  return `${lines.join('\n')}\n\n`;
}

/** For people: redraws at every interval, key and resize until `q`, Ctrl-C or a signal. */
function screen(options: TopOptions): Promise<ExitCode> {
  const { clock } = options;
  let { choices } = options;
  const terminal = new Terminal(process.stdin, process.stdout, process.env['NO_COLOR'] === undefined);
  const monitor = new Monitor(options, () => {});
  let paused: { reading: Reading | undefined; readAtMs: number | undefined } | undefined;
  let cancelTick = () => {};
  const draw = () => {
    const { reading, readAtMs } = paused ?? { reading: monitor.model.reading, readAtMs: monitor.readAtMs };
    const input = monitor.input(reading, choices, readAtMs);
    terminal.draw(view(input), footer(input));
  };
  const tick = () => {
    draw();
    cancelTick();
    cancelTick = clock.after(choices.intervalMs, tick);
  };
  return new Promise<ExitCode>((resolve) => {
    const quit = () => resolve(EXIT.ok);
    terminal.open((data) => {
      for (const key of splitKeys(data)) {
        const next = afterKey(key, choices);
        if (next === undefined) return quit();
        choices = next;
      }
      if (!choices.isPaused) paused = undefined;
      else paused ??= { reading: monitor.model.reading, readAtMs: monitor.readAtMs };
      tick();
    }, draw);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, quit);
    tick();
  }).finally(() => {
    cancelTick();
    monitor.feed.close();
    terminal.restore();
  });
}
