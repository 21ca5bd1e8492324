import type { Format } from '../../../shared/src/format.ts';
import { type Problem, WarpDriveError } from '../../../shared/src/problem.ts';
import type { StreamClientMessage, StreamServerMessage } from '../../../shared/src/stream-protocol.ts';
import type { Operation } from '../../../shared/src/telemetry.ts';
import { Credit } from './credit.ts';
import { connectSocket, type Socket } from './socket.ts';

export interface StreamOptions {
  /** The service: `http://host:8080`, `https:`, `ws:` and `wss:` alike. */
  url: string | URL;
  op: Operation;
  /** Default gzip; `auto` for decompression only. `deflate` is raw RFC 1951. */
  format?: Format | 'auto';
  /** Compression: 1–9, default 1. */
  level?: number;
  token?: string;
  /** Output in bytes that may wait here for its reader, default 1 MiB: the service holds the rest back. */
  windowBytes?: number;
  /** Ends the stream. */
  signal?: AbortSignal;
}

/** What the service tells at the end; `crc32` is of the uncompressed side, `job` names the record at /v1/jobs/:id. */
export type StreamSummary = Omit<Extract<StreamServerMessage, { type: 'done' }>, 'type'>;

/** One operation. A pair for `pipeThrough`; closing `writable` finishes. */
export interface ServiceStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when all output has come; rejects as `readable` fails. */
  readonly done: Promise<StreamSummary>;
  /** Compression: what was written so far comes out. Resolves when that was asked for. */
  flush(): Promise<void>;
  /** All input was written: the same as closing `writable`, for those who gave that away. */
  finish(): Promise<void>;
  /** Breaks the stream off. */
  abort(): void;
}

const FRAME_BYTES = 64 * 1024;
const WINDOW_BYTES = 1024 * 1024;
const CLOSE_NORMAL = 1000;
const SCHEMES: Record<string, string> = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' };

/**
 * Opens a stream at a service, from Node or a browser. Both directions have flow control.
 * @throws WD_E_EINVAL the URL; WD_E_ABORTED no connection. Later failures come from `readable`, `writable` and `done` as
 *   WarpDriveError with the service's code.
 */
export async function openStream(options: StreamOptions): Promise<ServiceStream> {
  options.signal?.throwIfAborted();
  const socket = await connectSocket(streamUrl(options), options.token);
  if (options.signal?.aborted) socket.close(CLOSE_NORMAL);
  options.signal?.throwIfAborted();
  return new ClientStream(socket, options.windowBytes ?? WINDOW_BYTES, options.signal);
}

class ClientStream implements ServiceStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly done: Promise<StreamSummary>;
  private readonly credit = new Credit();
  /** Payload bytes that the service may still send. */
  private granted: number;
  private output: ReadableStreamDefaultController<Uint8Array> | undefined;
  private input: WritableStreamDefaultController | undefined;
  private resolve: (summary: StreamSummary) => void = () => {};
  private reject: (error: Error) => void = () => {};
  /** Everything that is sent keeps its order behind this. */
  private sent: Promise<void> = Promise.resolve();
  private isFinished = false;
  private isOver = false;

  constructor(
    private readonly socket: Socket,
    private readonly windowBytes: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.granted = windowBytes;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.done.catch(() => {}); // it is also told by both streams: nobody has to look here
    this.readable = new ReadableStream(
      {
        start: (controller) => {
          this.output = controller;
        },
        pull: () => this.grant(),
        cancel: () => this.abort(),
      },
      { highWaterMark: windowBytes, size: (chunk) => chunk?.byteLength ?? 0 },
    );
    this.writable = new WritableStream({
      start: (controller) => {
        this.input = controller;
      },
      write: (chunk) => this.inOrder(() => this.sendPayload(chunk)),
      close: () => this.finish(),
      abort: () => this.abort(),
    });
    socket.addEventListener('message', ({ data }) => this.onMessage(data));
    socket.addEventListener('close', ({ code, reason }) => this.onClose(code, reason));
    signal?.addEventListener('abort', this.onAbort);
    this.sendMessage({ type: 'credit', bytes: windowBytes });
  }

  flush(): Promise<void> {
    return this.inOrder(async () => this.sendMessage({ type: 'flush' }));
  }

  finish(): Promise<void> {
    return this.inOrder(async () => {
      if (!this.isFinished) this.sendMessage({ type: 'finish' });
      this.isFinished = true;
    });
  }

  abort(): void {
    this.fail(new WarpDriveError('WD_E_ABORTED', 'the stream was aborted'));
    this.socket.close(CLOSE_NORMAL);
  }

  private readonly onAbort = (): void => this.abort();

  private inOrder(action: () => Promise<void>): Promise<void> {
    const result = this.sent.then(action);
    this.sent = result.catch(() => {});
    return result;
  }

  private async sendPayload(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      const bytes = await this.credit.take(Math.min(FRAME_BYTES, chunk.byteLength - at));
      this.socket.send(chunk.subarray(at, at + bytes));
      at += bytes;
    }
  }

  private sendMessage(message: StreamClientMessage): void {
    if (!this.isOver) this.socket.send(JSON.stringify(message));
  }

  private onMessage(data: unknown): void {
    if (this.isOver) return;
    if (typeof data === 'string') this.onControl(JSON.parse(data) as StreamServerMessage);
    else if (data instanceof ArrayBuffer) {
      this.granted -= data.byteLength;
      this.output?.enqueue(new Uint8Array(data));
    }
  }

  private onControl(message: StreamServerMessage): void {
    switch (message.type) {
      case 'credit':
        this.credit.add(message.bytes);
        break;
      case 'done': {
        const { type: _, ...summary } = message;
        this.end();
        this.output?.close();
        this.resolve(summary);
        break;
      }
      case 'error':
        this.fail(errorOf(message.problem));
        break;
    }
  }

  /** Lets the service fill the window again, in steps of half of it. */
  private grant(): void {
    const room = (this.output?.desiredSize ?? 0) - this.granted;
    if (room < this.windowBytes / 2) return;
    this.granted += room;
    this.sendMessage({ type: 'credit', bytes: room });
  }

  private onClose(code: number, reason: string): void {
    const what = code === 1006 ? 'the connection was lost' : `the service closed with ${code} ${reason}`;
    this.fail(new WarpDriveError('WD_E_ABORTED', what));
  }

  /** A signal that lives on does not keep this stream. */
  private end(): void {
    this.isOver = true;
    this.signal?.removeEventListener('abort', this.onAbort);
  }

  private fail(error: Error): void {
    if (this.isOver) return;
    this.end();
    this.credit.fail(error);
    this.output?.error(error);
    this.input?.error(error);
    this.reject(error);
  }
}

/** The service's own words and code. */
const errorOf = ({ code, detail, title }: Problem): WarpDriveError =>
  new WarpDriveError(code, detail ?? title);

function streamUrl({ url, op, format, level }: StreamOptions): URL {
  const at = URL.canParse(String(url))
    ? new URL('v1/stream', `${String(url).replace(/\/+$/, '')}/`)
    : undefined;
  const scheme = at && SCHEMES[at.protocol];
  if (!at || scheme === undefined)
    throw new WarpDriveError('WD_E_EINVAL', `url "${url}" is no http:, https:, ws: or wss: URL`, {
      field: 'url',
    });
  at.protocol = scheme;
  at.searchParams.set('op', op);
  if (format !== undefined) at.searchParams.set('format', format);
  if (level !== undefined) at.searchParams.set('level', String(level));
  return at;
}
