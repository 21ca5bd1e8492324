import { pino } from 'pino';

/** Object first, then a short constant message; see docs/operations. Never payload bytes, never secrets. */
export interface Log {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  child(bindings: Record<string, unknown>): Log;
  /** Asked before details are put together that would be made for every request; absent: every level is. */
  isLevelEnabled?(level: 'debug'): boolean;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** A log whose least level can change while it runs; children made before keep theirs. */
export interface LeveledLog extends Log {
  setLevel(level: LogLevel): void;
}

/**
 * One JSON object per line on stderr with UTC time, or a readable line if `pretty`. stderr, because stdout belongs
 * to what a command was asked for.
 */
export function createLog(options: {
  level: LogLevel;
  pretty?: boolean;
  /** In every line. */
  bindings?: Record<string, unknown>;
}): LeveledLog {
  const base = options.bindings ?? null;
  const logger = options.pretty
    ? pino({
        level: options.level,
        ...(base ? { base } : {}),
        transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid,hostname' } },
      })
    : pino(
        {
          level: options.level,
          timestamp: pino.stdTimeFunctions.isoTime,
          base,
          formatters: { level: (level) => ({ level }) },
        },
        pino.destination({ dest: 2, sync: true }),
      );
  return Object.assign(logger, {
    setLevel(level: LogLevel) {
      logger.level = level;
    },
  });
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
  isLevelEnabled: () => false,
};
