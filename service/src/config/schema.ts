import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { CORE_NAMES, QUEUE_MODES } from '../../../shared/src/telemetry.ts';
import { parseDuration, parseSize, sizeText } from './units.ts';

const MAX_CORES = 64;
/** Node's timers fire at once beyond this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const size = () =>
  z.union([z.number().int().nonnegative(), z.string()]).transform((value, context) => {
    const bytes = typeof value === 'number' ? value : parseSize(value);
    if (bytes === undefined) context.addIssue('expected a size such as 65536, 64KiB or 2GiB');
    return bytes ?? 0;
  });

const duration = () =>
  z.union([z.number().nonnegative(), z.string()]).transform((value, context) => {
    const ms = typeof value === 'number' ? Math.round(value * 1000) : parseDuration(value);
    if (ms === undefined) context.addIssue('expected a time such as 30s, 250ms or 5m');
    if (ms !== undefined && ms > MAX_TIMER_MS) context.addIssue('expected at most 596h');
    return ms ?? 0;
  });

/** Whole numbers; environment and flags give them as text. */
const count = (min: number, max: number) => {
  const error = `expected a whole number, ${min} to ${max}`;
  return z
    .union([z.number(), z.string().regex(/^\d+$/, { error })], { error })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }));
};

const MIN_TOKEN = 8;
const secret = () => z.string().min(MIN_TOKEN, `expected at least ${MIN_TOKEN} characters`).optional();

const list = () =>
  z
    .union([z.array(z.string()), z.string()])
    .transform((value) => (typeof value === 'string' ? value.split(',') : value))
    .transform((items) => items.map((item) => item.trim()).filter((item) => item !== ''));

/** Every option of the service: the file's keys; flags and environment names are derived from them. */
export const configSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  port: count(0, 65_535).default(8080).describe('TCP port; 0 takes a free one and prints it'),
  workers: count(1, MAX_CORES)
    .default(1)
    .describe('service processes that share the port, each with a virtual function of the device'),
  cores: count(1, MAX_CORES)
    .default(Math.min(availableParallelism(), MAX_CORES))
    .describe('engine cores of the emulated device, a worker thread each'),
  core: z
    .enum(['auto', ...CORE_NAMES])
    .default('auto')
    .describe('deflate core that the engine cores run'),
  mode: z.enum(QUEUE_MODES).default('sva').describe("how queues reach a process's memory"),
  queues: count(2, 1024).default(8).describe('queues that the service opens on the device'),
  adminToken: secret().describe('bearer token of the admin routes; made at start if absent'),
  token: secret().describe(
    'bearer token of the data routes; they need one if it is set, or if the service is reachable from outside',
  ),
  maxTokenGuesses: count(1, 1_000_000)
    .default(20)
    .describe('wrong tokens a minute from one address; more are refused unread'),
  maxInput: size().default(0).describe('bytes that one request may send; 0 is no limit'),
  maxOutput: size().default(0).describe('bytes that one decompression may produce; 0 is no limit'),
  maxRatio: count(0, 1_000_000)
    .default(0)
    .describe('output divided by input of one decompression; 0 is no limit'),
  maxTime: duration()
    .default(0)
    .describe('time that one request or WebSocket stream may take; 0 is no limit'),
  maxConnections: count(1, 1_000_000)
    .default(8192)
    .describe('connections of one service process, idle ones too; each takes a descriptor'),
  maxStreams: count(1, 1_000_000)
    .default(4096)
    .describe('requests and WebSockets being streamed at once, in all; workers have equal parts of it'),
  maxStreamsPerClient: count(1, 1_000_000)
    .default(1024)
    .describe('the same from one address; raise it behind a proxy'),
  maxBuffered: size()
    .default(1024 * 1024)
    .describe('bytes of output that may wait for one WebSocket that reads slowly'),
  maxFrame: size()
    .refine((bytes) => bytes >= 1024, 'expected at least 1KiB')
    .default(1024 * 1024)
    .describe('bytes of one WebSocket message; also the credit that a client gets'),
  maxHeaders: count(1, 2000).default(100).describe('header fields of one request'),
  maxHeaderBytes: size()
    .refine((bytes) => bytes >= 1024 && bytes <= 1024 * 1024, 'expected 1KiB to 1MiB')
    .default(16 * 1024)
    .describe('bytes of all header fields of one request'),
  headerTimeout: duration()
    .refine((ms) => ms > 0, 'expected more than 0')
    .default(15_000)
    .describe('time that a client gets to send a whole request head'),
  pingTimeout: duration()
    .refine((ms) => ms > 0, 'expected more than 0')
    .default(60_000)
    .describe('a WebSocket that answers no ping this long is cut off'),
  idleTimeout: duration()
    .default(60_000)
    .describe('a client that neither sends nor reads this long is cut off'),
  allowOrigin: list()
    .default([])
    .describe('web origins besides the own one that may call, separated by commas'),
  fallback: z
    .enum(['allow', 'never'])
    .default('allow')
    .describe('whether software does what the device cannot; counted, and named in the answer'),
  attachSocket: z
    .string()
    .min(1)
    .default('auto')
    .describe('Unix socket where other processes get queues; auto is the user’s own, none turns it off'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('least level logged'),
  drainDelay: duration()
    .default(0)
    .describe('time between a stop signal, which turns /readyz to 503, and the end of listening'),
  shutdownTimeout: duration().default(25_000).describe('time that open streams get to finish at shutdown'),
});

/** Validated; sizes in bytes, times in milliseconds. */
export type Config = z.output<typeof configSchema>;
export type ConfigKey = keyof Config;

export const CONFIG_KEYS = Object.keys(configSchema.shape) as ConfigKey[];
export const SECRET_KEYS: ReadonlySet<ConfigKey> = new Set(['adminToken', 'token']);
const TIME_KEYS: ReadonlySet<ConfigKey> = new Set([
  'idleTimeout',
  'drainDelay',
  'shutdownTimeout',
  'headerTimeout',
  'pingTimeout',
  'maxTime',
]);
const SIZE_KEYS: ReadonlySet<ConfigKey> = new Set([
  'maxInput',
  'maxOutput',
  'maxBuffered',
  'maxFrame',
  'maxHeaderBytes',
]);
const DEFAULTS: Config = configSchema.parse({});
export const ENV_PREFIX = 'WARPDRIVE_';

/** `maxInput` → `max-input`. */
export const flagName = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
/** `maxInput` → `WARPDRIVE_MAX_INPUT`. */
export const envName = (key: string): string => ENV_PREFIX + flagName(key).replaceAll('-', '_').toUpperCase();
/** A setting as its option takes it: times as `30s`, sizes as `64KiB`, all else as it is. */
export function asGiven(key: ConfigKey, value: Config[ConfigKey]): Config[ConfigKey] {
  if (TIME_KEYS.has(key)) return `${Number(value) / 1000}s`;
  return SIZE_KEYS.has(key) && value !== 0 ? sizeText(Number(value)) : value;
}
/** Where the default is the machine's, what it follows. */
const MACHINE_DEFAULTS: Partial<Record<ConfigKey, string>> = { cores: 'one per CPU' };

/** The default in the unit that the option takes; empty where there is none to speak of. */
export function defaultText(key: ConfigKey): string {
  const shown = MACHINE_DEFAULTS[key] ?? asGiven(key, DEFAULTS[key]);
  return shown === undefined || shown === 0 || shown === '0s' || Array.isArray(shown) ? '' : String(shown);
}

/** One line for help texts, with the default. */
export function describeKey(key: ConfigKey): string {
  const shown = defaultText(key);
  return `${configSchema.shape[key].description ?? ''}${shown === '' ? '' : ` (default: ${shown})`}`;
}

/** The values of an option that has a closed set of them. */
export function choicesOf(key: ConfigKey): string[] | undefined {
  const schema: z.ZodType = configSchema.shape[key];
  const inner = schema instanceof z.ZodDefault ? schema.unwrap() : schema;
  return inner instanceof z.ZodEnum ? inner.options.map(String) : undefined;
}
