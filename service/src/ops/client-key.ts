/**
 * What counts as one client: an IPv4 address, or the /64 network of an IPv6 address, because one host has all of it.
 */
export function clientKey(address: string | undefined): string {
  if (address === undefined) return '';
  if (!address.includes(':')) return address;
  if (address.includes('.')) return address.slice(address.lastIndexOf(':') + 1); // ::ffff:192.0.2.1
  const [head = ''] = address.split('::', 1);
  const groups = head.split(':').slice(0, 4);
  while (groups.length < 4) groups.push('0');
  return `${groups.map((group) => group || '0').join(':')}::/64`;
}
