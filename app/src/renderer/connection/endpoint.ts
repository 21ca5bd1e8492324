/** Where a service is: the two addresses that the page uses, and the short name that it shows. */
export interface Endpoint {
  /** `http://host:port`, without a trailing slash. */
  httpOrigin: string;
  monitorUrl: string;
  /** `host:port`. */
  label: string;
}

const DEFAULT_SERVICE = 'http://127.0.0.1:8080';
export const MAX_SERVICES = 8;

/**
 * The services named by `?service=URL`, else the one that served the page. A page that no service served (the app's
 * own scheme, a file) falls back to the default address of `warpdrive serve`. Never empty.
 */
export function endpointsOf(pageHref: string): Endpoint[] {
  const page = new URL(pageHref);
  const named = page.searchParams
    .getAll('service')
    .map(endpointOf)
    .filter((endpoint) => endpoint !== undefined);
  const isServed = /^https?:$/.test(page.protocol);
  const found = named.length > 0 || !isServed ? named : [toEndpoint(page)];
  const known = new Map(found.map((endpoint) => [endpoint.httpOrigin, endpoint]));
  const endpoints = [...known.values()].slice(0, MAX_SERVICES);
  return endpoints.length > 0 ? endpoints : [toEndpoint(new URL(DEFAULT_SERVICE))];
}

/** The endpoint at a http or https URL, or at `host:port` as a person types it; undefined for anything else. */
export function endpointOf(text: string): Endpoint | undefined {
  const trimmed = text.trim();
  const url = /^[a-z]+:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  if (trimmed === '' || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  // Chromium takes spaces in a host for letters and encodes them
  const isHost = /^[\w.:[\]-]+$/.test(parsed.host);
  const isUsable = /^https?:$/.test(parsed.protocol) && isHost && parsed.username === '';
  return isUsable ? toEndpoint(parsed) : undefined;
}

/** The page's own address with these services in it; the rest of its query stays. */
export function linkTo(pageHref: string, endpoints: readonly Endpoint[]): string {
  const page = new URL(pageHref);
  page.searchParams.delete('service');
  for (const { httpOrigin } of endpoints) page.searchParams.append('service', httpOrigin);
  return page.href;
}

const toEndpoint = (base: URL): Endpoint => ({
  httpOrigin: base.origin,
  monitorUrl: `${base.protocol === 'https:' ? 'wss:' : 'ws:'}//${base.host}/v1/monitor`,
  label: base.host,
});
