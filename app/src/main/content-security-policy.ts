/** The app's pages may load nothing but themselves and talk to nobody but the one service. */
export function contentSecurityPolicy(serviceOrigin: string): string {
  const socketOrigin = serviceOrigin.replace(/^http/, 'ws');
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src ${socketOrigin} ${serviceOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
