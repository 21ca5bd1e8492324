import { createHash, timingSafeEqual } from 'node:crypto';
import { WarpDriveError } from '../../../shared/src/problem.ts';

/** Origin of the Electron monitor's pages. */
export const APP_ORIGIN = 'warpdrive://monitor';
const REMEMBERED_HOSTS = 64;

/** True for names and addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80');

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/**
 * Who may call. A service on loopback is within reach of every web page that the user opens, so it answers only
 * requests that name it by a loopback Host (DNS rebinding) and come from no foreign Origin.
 */
export class Access {
  private readonly knownHosts = new Set<string>();
  private readonly loopbackOnly: boolean;
  private readonly allowed: ReadonlySet<string>;
  private readonly tokenHash: Buffer;

  constructor(options: { host: string; adminToken: string; allowOrigins: readonly string[] }) {
    this.loopbackOnly = isLoopback(options.host);
    this.allowed = new Set([APP_ORIGIN, ...options.allowOrigins]);
    this.tokenHash = digest(options.adminToken);
  }

  /** The refusal of a request with these header fields, or undefined. */
  refusal(host: string | undefined, origin: string | undefined): WarpDriveError | undefined {
    if (host !== undefined && !this.isKnownHost(host))
      return new WarpDriveError('WD_E_FORBIDDEN', `Host ${host} is not a name of this loopback service`, {
        field: 'Host',
      });
    if (origin === undefined || this.allowed.has(origin) || this.isOwnOrigin(origin, host)) return undefined;
    return new WarpDriveError(
      'WD_E_FORBIDDEN',
      `Origin ${origin} may not use this service; see --allow-origin`,
      {
        field: 'Origin',
      },
    );
  }

  isAdmin(authorization: string | undefined): boolean {
    const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    return token !== undefined && timingSafeEqual(digest(token), this.tokenHash);
  }

  private isKnownHost(host: string): boolean {
    if (!this.loopbackOnly || this.knownHosts.has(host)) return true;
    const url = urlOf(`http://${host}`);
    if (url === undefined || !isLoopback(url.hostname)) return false;
    if (this.knownHosts.size < REMEMBERED_HOSTS) this.knownHosts.add(host);
    return true;
  }

  private isOwnOrigin(origin: string, host: string | undefined): boolean {
    const from = urlOf(origin);
    const own = urlOf(`http://${host}`);
    if (from === undefined || own === undefined || !/^https?:$/.test(from.protocol)) return false;
    if (from.host === own.host) return true;
    // localhost, 127.0.0.1 and ::1 with one port are one service
    return isLoopback(from.hostname) && isLoopback(own.hostname) && portOf(from) === portOf(own);
  }
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();
