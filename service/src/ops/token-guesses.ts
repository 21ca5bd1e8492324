import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Clock } from '../platform/clock.ts';
import { clientKey } from './client-key.ts';

const WINDOW_US = 60e6;
/** Clients remembered; the oldest give way, and with 64-network keys an attacker cannot make many. */
const MAX_CLIENTS = 4096;

/** Wrong tokens by client within a minute. A client over the limit is refused unread, right token or not. */
export class TokenGuesses {
  private readonly wrong = new Map<string, { count: number; untilUs: number }>();
  constructor(
    private readonly limit: number,
    private readonly clock: Clock,
  ) {}

  /** The refusal of a client that guessed too often, or undefined. */
  refusal(address: string | undefined): WarpDriveError | undefined {
    if (this.wrong.size === 0) return undefined;
    const entry = this.current(clientKey(address));
    if (entry === undefined || entry.count < this.limit) return undefined;
    const retryAfterS = Math.max(1, Math.ceil((entry.untilUs - this.clock.monotonicUs()) / 1e6));
    return new WarpDriveError('WD_E_THROTTLED', `${entry.count} wrong tokens came from this address`, {
      limitTokens: this.limit,
      measured: 'wrong tokens a minute',
      retryAfterS,
    });
  }

  count(address: string | undefined): void {
    const client = clientKey(address);
    const entry = this.current(client);
    if (entry !== undefined) {
      entry.count++;
      return;
    }
    if (this.wrong.size >= MAX_CLIENTS)
      for (const oldest of this.wrong.keys()) {
        this.wrong.delete(oldest);
        break;
      }
    this.wrong.set(client, { count: 1, untilUs: this.clock.monotonicUs() + WINDOW_US });
  }

  private current(client: string): { count: number; untilUs: number } | undefined {
    const entry = this.wrong.get(client);
    if (entry === undefined || entry.untilUs > this.clock.monotonicUs()) return entry;
    this.wrong.delete(client);
    return undefined;
  }
}
