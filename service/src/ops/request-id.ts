const ACCEPTED = /^[\w.:/+=-]{1,128}$/;

/** The client's own id if it is a sane one, else `own`. */
export function requestId(given: string | string[] | undefined, own: string): string {
  return typeof given === 'string' && ACCEPTED.test(given) ? given : own;
}
