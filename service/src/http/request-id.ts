import { randomBytes } from 'node:crypto';

const ACCEPTED = /^[\w.:/+=-]{1,128}$/;
const prefix = `${randomBytes(6).toString('base64url')}-`;
let last = 0;

/** The client's own id if it is a sane one, else a fresh one: a random part of this process and a count. */
export function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && ACCEPTED.test(given) ? given : prefix + (++last).toString(36);
}
