import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { FaultSnapshot, MonitorMessage, MonitorRequest } from '../../../shared/src/telemetry.ts';
import { publicFault } from '../telemetry/status.ts';

/** A client this far behind gets no fault messages; the gap in `seq` lets it ask again. */
export const MAX_BUFFERED_BYTES = 256 * 1024;
/** Faults that one client is sent between two samples; the rest are counted. */
const FAULTS_PER_TICK = 500;
const FAULTS_PER_ANSWER = 2000;
const MAX_WRONG_TOKENS = 5;
const CLOSE_BAD_MESSAGE = 4400;
const CLOSE_UNAUTHORIZED = 4401;

const requestShape: z.ZodType<MonitorRequest> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auth'), token: z.string().min(1).max(512) }),
  z.strictObject({ type: z.literal('faults'), sinceSeq: z.number().int().nonnegative() }),
]);

interface SessionDeps {
  isAdminToken(token: string): boolean;
  /** Faults after `sinceSeq` that the stack still has, oldest first. */
  faults(sinceSeq: number, isAdmin: boolean): FaultSnapshot[];
  onDroppedSample(): void;
}

/** One monitor: what it may see, what it asked for, and how far it is behind. Nothing is queued for it. */
export class MonitorSession {
  /** The last sample is still on its way: the next one is dropped, a later one replaces it. */
  private isSending = false;
  private dropped = 0;
  private faultsDropped = 0;
  private faultsThisTick = 0;
  private hasAsked = false;
  private wrongTokens = 0;

  constructor(
    readonly ws: WebSocket,
    public isAdmin: boolean,
    private readonly deps: SessionDeps,
  ) {
    ws.on('message', (data: Buffer, isBinary) => this.receive(isBinary ? '' : data.toString()));
  }

  send(message: MonitorMessage): void {
    this.ws.send(JSON.stringify(message));
  }

  /** @param sample one reading as JSON, the same for all clients with these rights */
  sendSample(sample: string): void {
    this.faultsThisTick = 0;
    this.hasAsked = false;
    if (this.isSending) {
      this.dropped++;
      this.deps.onDroppedSample();
      return;
    }
    this.isSending = true;
    const faults = this.faultsDropped === 0 ? '' : `,"faultsDropped":${this.faultsDropped}`;
    this.ws.send(`{"type":"sample","sample":${sample},"dropped":${this.dropped}${faults}}`, () => {
      this.isSending = false;
    });
  }

  /** @param text makes the fault message as JSON, fit for the rights of this client; called only if there is room for it */
  sendFault(text: () => string): void {
    if (this.faultsThisTick >= FAULTS_PER_TICK || this.ws.bufferedAmount >= MAX_BUFFERED_BYTES)
      this.faultsDropped++;
    else {
      this.faultsThisTick++;
      this.ws.send(text());
    }
  }

  private receive(text: string): void {
    const request = requestOf(text);
    if (request === undefined) this.ws.close(CLOSE_BAD_MESSAGE, 'WD_E_PARAMETER');
    else if (request.type === 'auth') this.authorize(request.token);
    else this.answerFaults(request.sinceSeq);
  }

  private authorize(token: string): void {
    this.isAdmin = this.deps.isAdminToken(token);
    if (!this.isAdmin && ++this.wrongTokens >= MAX_WRONG_TOKENS)
      this.ws.close(CLOSE_UNAUTHORIZED, 'WD_E_UNAUTHORIZED');
    else this.send({ type: 'auth', isAdmin: this.isAdmin });
  }

  /** One answer between two samples: asking for gaps must not add to the load that made them. */
  private answerFaults(sinceSeq: number): void {
    if (this.hasAsked || this.ws.bufferedAmount >= MAX_BUFFERED_BYTES) return;
    this.hasAsked = true;
    const faults = this.deps.faults(sinceSeq, this.isAdmin).slice(0, FAULTS_PER_ANSWER);
    this.send({ type: 'faults', sinceSeq, faults: this.isAdmin ? faults : faults.map(publicFault) });
  }
}

function requestOf(text: string): MonitorRequest | undefined {
  try {
    return requestShape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
