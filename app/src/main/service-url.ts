const DEFAULT_SERVICE = 'http://127.0.0.1:8080';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * The service that the app watches: `--service=URL`, else the default address.
 * @returns its origin, or in `refused` why it may not be used: a service on another machine needs https
 */
export function serviceOrigin(argv: readonly string[]): { origin: string } | { refused: string } {
  const flag = argv.find((arg) => arg.startsWith('--service='))?.slice('--service='.length);
  const text = flag ?? DEFAULT_SERVICE;
  if (!URL.canParse(text)) return { refused: `--service: ${text} is not a URL such as ${DEFAULT_SERVICE}` };
  const url = new URL(text);
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  return isSecure
    ? { origin: url.origin }
    : { refused: `--service: ${text} must be https, or http on this machine` };
}
