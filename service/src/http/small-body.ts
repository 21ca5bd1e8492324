import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CodecStream, CompressOptions, StreamResult } from '../codec/codec.ts';
import { type Exchange, STATUS_CLIENT_LEFT } from './exchange.ts';
import { Transfer } from './transfer.ts';

/**
 * Compresses a body in one job if it ends within the codec's one-shot size; one that turns out to be longer goes on
 * as a stream. Short on purpose: for a 2 KiB body every listener and copy here is measurable.
 */
export function compressSmallBody(exchange: Exchange, options: CompressOptions): void {
  const { req, res, deps, request } = exchange;
  const { codec } = deps;
  const chunks: Buffer[] = [];
  let bytes = 0;

  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > codec.oneShotBytes) becomeStream();
  };
  const onEnd = () => {
    codec.compressOnce(chunks, options).then(onDone, onFailed);
  };
  const onDone = (done: { chunks: Uint8Array[]; result: StreamResult }) => {
    request.jobs.bytesIn += bytes;
    if (res.destroyed) {
      exchange.account(STATUS_CLIENT_LEFT);
      return;
    }
    const [only] = done.chunks;
    const body = only !== undefined && done.chunks.length === 1 ? only : Buffer.concat(done.chunks);
    request.jobs.bytesOut += body.length;
    exchange.sendWhole(body, done.result);
  };
  const onFailed = (error: unknown) => {
    request.jobs.bytesIn += bytes;
    if (res.destroyed) exchange.account(STATUS_CLIENT_LEFT);
    else exchange.refuse(error);
  };
  const onTimeout = () => {
    if (req.complete || res.headersSent) return;
    stopReading();
    exchange.refuse(idleError(deps.idleMs, bytes));
  };
  const onClose = () => {
    if (req.complete) return;
    exchange.account(STATUS_CLIENT_LEFT);
    deps.log.info({ reqId: exchange.id, bytesIn: bytes }, 'client left');
  };
  const stopReading = () => {
    req.off('data', onData).off('end', onEnd).off('timeout', onTimeout).off('close', onClose);
  };
  const becomeStream = () => {
    stopReading();
    let stream: CodecStream;
    try {
      stream = codec.compressStream(options);
    } catch (error) {
      exchange.refuse(error);
      return;
    }
    new Transfer(exchange, stream).start(chunks);
  };
  req.on('data', onData).on('end', onEnd).on('timeout', onTimeout).on('close', onClose);
}

export function idleError(idleMs: number, bytes: number): WarpDriveError {
  return new WarpDriveError('WD_E_IDLE', `no byte of the request body arrived for ${idleMs} ms`, {
    idleMs,
    receivedBytes: bytes,
  });
}
