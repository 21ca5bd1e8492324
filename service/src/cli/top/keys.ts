import { COLUMNS } from './columns.ts';
import type { Choices } from './view.ts';

const MIN_INTERVAL_MS = 250;
const MAX_INTERVAL_MS = 10_000;
const CTRL_C = '\u0003';
const ESCAPE = '\u001b';

/** Splits what a terminal sent at once into keys: a plain character, or an escape sequence as a whole. */
export const splitKeys = (data: string): string[] =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters
  data.match(/\u001b\[[0-9;]*[A-Za-z~]|\u001bO[A-Z]|[\s\S]/gu) ?? [];

/** The choices after a key; undefined for the keys that quit. */
export function afterKey(key: string, now: Choices): Choices | undefined {
  if (key === CTRL_C) return undefined;
  return now.isTyping ? typed(key, now) : pressed(key, now);
}

function typed(key: string, now: Choices): Choices {
  if (key === '\r' || key === '\n') return { ...now, isTyping: false };
  if (key === ESCAPE) return { ...now, isTyping: false, filter: '' };
  if (key === '\u007f' || key === '\b') return { ...now, filter: now.filter.slice(0, -1) };
  return key.length > 1 || key < ' ' ? now : { ...now, filter: now.filter + key, scroll: 0 };
}

function pressed(key: string, now: Choices): Choices | undefined {
  const columns = COLUMNS.length;
  switch (key) {
    case 'q':
      return undefined;
    case ' ':
      return { ...now, isPaused: !now.isPaused };
    case '?':
    case 'h':
      return { ...now, isHelp: !now.isHelp };
    case ESCAPE:
      return { ...now, isHelp: false, filter: '' };
    case 's':
      return { ...now, sort: (now.sort + 1) % columns };
    case 'S':
      return { ...now, sort: (now.sort + columns - 1) % columns };
    case 'r':
      return { ...now, reverse: !now.reverse };
    case '/':
      return { ...now, isTyping: true, isHelp: false };
    case '+':
      return { ...now, intervalMs: Math.max(MIN_INTERVAL_MS, now.intervalMs / 2) };
    case '-':
      return { ...now, intervalMs: Math.min(MAX_INTERVAL_MS, now.intervalMs * 2) };
    case '\u001b[A':
    case 'k':
      return { ...now, scroll: Math.max(0, now.scroll - 1) };
    case '\u001b[B':
    case 'j':
      return { ...now, scroll: now.scroll + 1 };
    case '\u001b[C':
      return { ...now, skipped: Math.min(columns - 2, now.skipped + 1) };
    case '\u001b[D':
      return { ...now, skipped: Math.max(0, now.skipped - 1) };
    default:
      return now;
  }
}
