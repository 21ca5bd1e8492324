/**
 * What the page may claim about its data. Only `live` data is current; in every other state the panels are greyed
 * and labelled with the time of the last reading.
 */
export type ConnectionState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** The socket is open but nothing came for a while. */
  | { kind: 'silent' }
  | { kind: 'reconnecting'; retryAtMs: number; reason: string }
  /** Gone for longer than a restart takes; tries go on. */
  | { kind: 'lost'; retryAtMs: number; reason: string };

const REASONS: Record<number, string> = {
  1000: 'the service closed the feed',
  1001: 'the service is going away',
  1006: 'the connection ended without a close frame',
  1008: 'the service refused this page (origin or token)',
  1011: 'the service met an error of its own',
  1012: 'the service is restarting',
  1013: 'the service has no room for another monitor',
  4401: 'the service asks for a token',
  4403: 'the service refused this page (permission)',
};

/** A close code in words, with the catalogue code that the service gave as its reason, if any. */
export function closeReason(code: number, reason: string): string {
  const words = REASONS[code] ?? `the service closed the feed with code ${code}`;
  return reason === '' ? words : `${words}: ${reason}`;
}
