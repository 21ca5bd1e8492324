/** The app's pages may load nothing but themselves and talk to nobody but the services that they watch. */
export function contentSecurityPolicy(serviceOrigins: readonly string[]): string {
  const sources = serviceOrigins.flatMap((origin) => [origin.replace(/^http/, 'ws'), origin]);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src ${sources.length === 0 ? "'none'" : sources.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
