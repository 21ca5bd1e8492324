import { createHash, timingSafeEqual } from 'node:crypto';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Clock } from '../platform/clock.ts';
import { TokenGuesses } from './token-guesses.ts';

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

export interface AccessOptions {
  /** Address that the service listens on. */
  host: string;
  adminToken: string;
  /** Token of the data routes; the admin token opens them too. */
  token?: string | undefined;
  allowOrigins: readonly string[];
  /** Wrong tokens a minute from one address. */
  maxTokenGuesses: number;
  clock: Clock;
}

/**
 * Who may call. A service on loopback is within reach of every web page that the user opens, so it answers only
 * requests that name it by a loopback Host (DNS rebinding) and come from no foreign Origin.
 */
export class Access {
  private readonly knownHosts = new Set<string>();
  /** To compare a name with the last one costs less than to look it up. */
  private lastHost: string | undefined;
  private readonly loopbackOnly: boolean;
  private readonly allowed: ReadonlySet<string>;
  private readonly adminHash: Buffer;
  private readonly dataHash: Buffer | undefined;
  private readonly guesses: TokenGuesses;

  constructor(options: AccessOptions) {
    this.loopbackOnly = isLoopback(options.host);
    this.allowed = new Set([APP_ORIGIN, ...options.allowOrigins]);
    this.adminHash = digest(options.adminToken);
    this.dataHash = options.token === undefined ? undefined : digest(options.token);
    this.guesses = new TokenGuesses(options.maxTokenGuesses, options.clock);
  }

  /** True where data routes answer only to a token: one is configured, or other machines can reach the service. */
  get needsToken(): boolean {
    return this.dataHash !== undefined || !this.loopbackOnly;
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

  /**
   * The refusal of a request by its `Authorization`, or undefined. Counts wrong tokens, so call it once a request.
   * @param needsToken whether the route gives or takes data
   */
  tokenRefusal(
    authorization: string | undefined,
    address: string | undefined,
    needsToken: boolean,
  ): WarpDriveError | undefined {
    const isNeeded = needsToken && this.needsToken;
    const token = bearerOf(authorization);
    if (token === undefined)
      return isNeeded ? new WarpDriveError('WD_E_UNAUTHORIZED', 'this needs a token') : undefined;
    const throttled = this.guesses.refusal(address);
    if (throttled !== undefined) return throttled;
    if (this.isToken(token, this.adminHash) || this.isToken(token, this.dataHash)) return undefined;
    this.guesses.count(address);
    return isNeeded
      ? new WarpDriveError('WD_E_UNAUTHORIZED', 'this is not a token of this service')
      : undefined;
  }

  isAdmin(authorization: string | undefined): boolean {
    const token = bearerOf(authorization);
    return token !== undefined && this.isToken(token, this.adminHash);
  }

  /** In constant time: both sides are hashes of one length. */
  private isToken(token: string, hash: Buffer | undefined): boolean {
    return hash !== undefined && timingSafeEqual(digest(token), hash);
  }

  private isKnownHost(host: string): boolean {
    if (!this.loopbackOnly || host === this.lastHost) return true;
    if (!this.knownHosts.has(host) && !this.isLoopbackHost(host)) return false;
    this.lastHost = host;
    return true;
  }

  private isLoopbackHost(host: string): boolean {
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

const bearerOf = (authorization: string | undefined): string | undefined =>
  authorization === undefined ? undefined : /^bearer +(\S+)$/i.exec(authorization)?.[1];

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();
