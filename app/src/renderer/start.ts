import { endpointOf, endpointsOf, linkTo } from './connection/endpoint.ts';

export const SERVICES_KEY = 'warpdrive.services';

/**
 * The address that a page without named services opens instead: with the services that it watched last, because its
 * content policy is made of its address. Undefined: this address will do.
 */
export function addressOfStart(pageHref: string, remembered: unknown): string | undefined {
  const page = new URL(pageHref);
  if (page.searchParams.has('service')) return undefined;
  const list = (Array.isArray(remembered) ? (remembered as unknown[]) : []).flatMap((one) =>
    typeof one === 'string' ? (endpointOf(one) ?? []) : [],
  );
  const isServed = /^https?:$/.test(page.protocol);
  // a page of a service always shows that service; it was not asked to show others only
  if (isServed && (list.length < 2 || !list.some(({ httpOrigin }) => httpOrigin === page.origin)))
    return undefined;
  return linkTo(pageHref, list.length > 0 ? list : endpointsOf(pageHref));
}
