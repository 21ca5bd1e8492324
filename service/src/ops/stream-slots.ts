import { WarpDriveError } from '../../../shared/src/problem.ts';
import { clientKey } from './client-key.ts';

export interface StreamLimits {
  maxStreams: number;
  maxStreamsPerClient: number;
}

/** Counts the requests and WebSockets that stream now, in all and for each client. */
export class StreamSlots {
  private total = 0;
  private readonly perClient = new Map<string, number>();
  constructor(private readonly limits: StreamLimits) {}

  get inUse(): number {
    return this.total;
  }

  /** Takes a slot; each slot is released once by the returned function. @throws WD_E_LIMIT_STREAMS, WD_E_LIMIT_CLIENT */
  acquire(address: string | undefined): () => void {
    const { maxStreams, maxStreamsPerClient } = this.limits;
    const client = clientKey(address);
    const own = this.perClient.get(client) ?? 0;
    if (own >= maxStreamsPerClient)
      throw new WarpDriveError('WD_E_LIMIT_CLIENT', `${own} streams are open from this address`, {
        limitStreams: maxStreamsPerClient,
        measured: 'streams of this client',
      });
    if (this.total >= maxStreams)
      throw new WarpDriveError('WD_E_LIMIT_STREAMS', `${this.total} streams are open`, {
        limitStreams: maxStreams,
        measured: 'streams',
      });
    this.total++;
    this.perClient.set(client, own + 1);
    return () => this.release(client);
  }

  private release(client: string): void {
    this.total--;
    const left = (this.perClient.get(client) ?? 1) - 1;
    if (left === 0) this.perClient.delete(client);
    else this.perClient.set(client, left);
  }
}
