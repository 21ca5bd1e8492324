const DEFAULT_SERVICE = 'http://127.0.0.1:8080';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const MAX_SERVICES = 8;

/**
 * The services that the app was told to watch: each `--service=URL`. Without one, the page takes those it remembers.
 * @returns their origins, or in `refused` why one may not be used: a service on another machine needs https
 */
export function serviceOrigins(argv: readonly string[]): { origins: string[] } | { refused: string } {
  const flags = argv
    .filter((arg) => arg.startsWith('--service='))
    .map((arg) => arg.slice('--service='.length));
  const origins: string[] = [];
  for (const text of flags) {
    if (!URL.canParse(text)) return { refused: `--service: ${text} is not a URL such as ${DEFAULT_SERVICE}` };
    const origin = allowedOrigin(text);
    if (origin === undefined) return { refused: `--service: ${text} must be https, or http on this machine` };
    origins.push(origin);
  }
  return { origins: [...new Set(origins)].slice(0, MAX_SERVICES) };
}

/** The origin of a service that the page may talk to: https, or http on this machine. */
export function allowedOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  return isSecure && url.username === '' && url.password === '' ? url.origin : undefined;
}

/** The services that a page of the app asks for in its address, those that are allowed. */
export const originsOf = (pageUrl: string): string[] =>
  new URL(pageUrl).searchParams
    .getAll('service')
    .slice(0, MAX_SERVICES)
    .flatMap((text) => allowedOrigin(text) ?? []);
