const MAX_SERVICES = 8;

/**
 * Content-Security-Policy of the monitor page: it loads nothing but its own files, and talks to its own service and to
 * those that its address names in `?service=ORIGIN`.
 */
export function monitorPolicy(services: unknown): string {
  const named = (Array.isArray(services) ? (services as unknown[]) : [services]).slice(0, MAX_SERVICES);
  const sources = named.flatMap((text) => {
    if (typeof text !== 'string' || text.length > 256 || !URL.canParse(text)) return [];
    const { protocol, origin } = new URL(text);
    return /^https?:$/.test(protocol) ? [origin, origin.replace(/^http/, 'ws')] : [];
  });
  return (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
    `connect-src ${["'self'", ...sources].join(' ')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  );
}
