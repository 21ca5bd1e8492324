import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../../shared/src/problem.ts';
import type { StatusSnapshot } from '../../../shared/src/telemetry.ts';
import { runFolder } from '../platform/run-folder.ts';
import { CommandError, EXIT } from './exit.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';

export interface CallFlags {
  url: string;
  adminToken?: string;
  json?: boolean;
}

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** JSON if it is an object, else text. */
  body?: object | string;
  /** Without it the call is made as anybody. */
  asAdmin?: boolean;
}

/** Calls a running service. @returns the JSON it answers; null for an empty answer */
export async function callService<Body>(flags: CallFlags, path: string, call: Call = {}): Promise<Body> {
  const { method = 'GET', body, asAdmin = false } = call;
  const token = asAdmin ? (flags.adminToken ?? (await ownToken(flags))) : flags.adminToken;
  const isJson = typeof body === 'object';
  const response = await reach(flags.url, path, {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': isJson ? 'application/json' : 'text/plain' }),
    },
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
  });
  const text = await response.text();
  if (response.ok) return parse(text || 'null', flags.url);
  const problem: Problem = parse(text, flags.url);
  const errno = typeof problem['errno'] === 'string' ? `${problem['errno']}: ` : '';
  throw new CommandError(EXIT.failure, `${errno}${problem.detail}. ${problem.advice}`);
}

async function reach(base: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(new URL(path, base), init);
  } catch (cause) {
    throw new CommandError(
      EXIT.unavailable,
      `No service answers at ${base}. Start one with "warpdrive serve", or give its address with --url.`,
      { cause },
    );
  }
}

/** The token that a service of this user made for itself at start. */
async function ownToken({ url }: CallFlags): Promise<string | undefined> {
  const status = await callService<StatusSnapshot>({ url }, '/v1/status');
  try {
    return readFileSync(join(runFolder(), `admin-token-${status.pid}`), 'utf8').trim();
  } catch {
    return undefined; // the service says what is missing
  }
}

function parse(text: string, base: string) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(EXIT.unavailable, `What answers at ${base} is not a warpdrive service.`, {
      cause,
    });
  }
}
