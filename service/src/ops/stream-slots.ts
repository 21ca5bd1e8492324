import { WarpDriveError } from '../../../shared/src/problem.ts';
import { clientKey } from './client-key.ts';

export interface StreamLimits {
  maxStreams: number;
  maxStreamsPerClient: number;
}

/** Clients that are remembered without a stream: to forget one and meet it again costs more than to keep it. */
const IDLE_CLIENTS = 64;

/** Counts the requests and WebSockets that stream now, in all and for each client. */
export class StreamSlots {
  private total = 0;
  private readonly perClient = new Map<string, { streams: number }>();
  constructor(private readonly limits: StreamLimits) {}

  get inUse(): number {
    return this.total;
  }

  /** Takes a slot; each slot is released once by the returned function. @throws WD_E_LIMIT_STREAMS, WD_E_LIMIT_CLIENT */
  acquire(address: string | undefined): () => void {
    const { maxStreams, maxStreamsPerClient } = this.limits;
    const client = clientKey(address);
    const known = this.perClient.get(client);
    const own = known ?? { streams: 0 };
    if (own.streams >= maxStreamsPerClient)
      throw new WarpDriveError('WD_E_LIMIT_CLIENT', `${own.streams} streams are open from this address`, {
        limitStreams: maxStreamsPerClient,
        measured: 'streams of this client',
      });
    if (this.total >= maxStreams)
      throw new WarpDriveError('WD_E_LIMIT_STREAMS', `${this.total} streams are open`, {
        limitStreams: maxStreams,
        measured: 'streams',
      });
    if (known === undefined) this.perClient.set(client, own);
    this.total++;
    own.streams++;
    return () => this.release(client, own);
  }

  private release(client: string, own: { streams: number }): void {
    this.total--;
    own.streams--;
    if (own.streams === 0 && this.perClient.size > IDLE_CLIENTS) this.perClient.delete(client);
  }
}
