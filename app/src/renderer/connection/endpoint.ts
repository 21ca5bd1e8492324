/** Where the page's service is: the two addresses that the page uses, and the short name that it shows. */
export interface Endpoint {
  /** `http://host:port`, without a trailing slash. */
  httpOrigin: string;
  monitorUrl: string;
  /** `host:port`. */
  label: string;
}

const DEFAULT_SERVICE = 'http://127.0.0.1:8080';

/**
 * The service named by `?service=URL`, else the one that served the page. A page that no service served (the app's
 * own scheme, a file) falls back to the default address of `warpdrive serve`.
 */
export function endpointOf(pageHref: string): Endpoint {
  const page = new URL(pageHref);
  const base = httpUrl(page.searchParams.get('service')) ?? httpUrl(page.origin) ?? new URL(DEFAULT_SERVICE);
  const socketScheme = base.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    httpOrigin: base.origin,
    monitorUrl: `${socketScheme}//${base.host}/v1/monitor`,
    label: base.host,
  };
}

function httpUrl(text: string | null): URL | undefined {
  if (text === null || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}
