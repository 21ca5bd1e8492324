import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CodecStream, CompressOptions, WholeMember } from '../codec/codec.ts';
import type { AnswerBatch } from './answer-batch.ts';
import type { Exchange } from './exchange.ts';
import { Transfer } from './transfer.ts';

/**
 * Compresses a body in one job if it ends within the codec's one-shot size; one that turns out to be longer goes on
 * as a stream. Short on purpose: for a 2 KiB body every listener and copy here is measurable.
 */
export function compressSmallBody(
  exchange: Exchange,
  options: CompressOptions,
  answers: AnswerBatch,
): { fail: (error: unknown) => void } {
  const { req, res, deps, account } = exchange;
  const { codec } = deps;
  const chunks: Buffer[] = [];
  let transfer: Transfer | undefined;
  let over = false;
  let bytes = 0;
  const announced = Number(req.headers['content-length'] ?? -1);

  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > codec.oneShotBytes) becomeStream();
  };
  const onEnd = () => {
    account.took(bytes);
    const [first] = chunks;
    if (first !== undefined) deps.counters.softwareCost.offer(first, options.level);
    let member: WholeMember | Promise<WholeMember>;
    try {
      member = codec.compressOnce(chunks, options);
    } catch (error) {
      fail(error);
      return;
    }
    if (member instanceof Promise) member.then(onDone, fail);
    else answers.add(() => onDone(member), bytes);
  };
  const onDone = (done: WholeMember) => {
    if (over) return;
    over = true;
    if (res.destroyed) {
      exchange.clientLeft();
      return;
    }
    const [only] = done.chunks;
    exchange.sendWhole(
      only !== undefined && done.chunks.length === 1 ? only : Buffer.concat(done.chunks),
      done.result,
    );
  };
  const fail = (error: unknown) => {
    if (transfer !== undefined) {
      transfer.fail(error);
      return;
    }
    if (over) return;
    over = true;
    stopReading();
    if (res.destroyed) exchange.clientLeft();
    else exchange.refuse(error);
  };
  const onTimeout = () => {
    if (!req.complete) fail(idleError(deps.idleMs, bytes));
  };
  const onClose = () => {
    if (req.complete || over) return;
    over = true;
    exchange.clientLeft();
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
      fail(error);
      return;
    }
    transfer = new Transfer(exchange, stream);
    transfer.start(chunks);
  };
  /** A body that came with its head, as small ones do, is taken as it is: four listeners and two turns less. */
  const read = () => {
    const whole: Buffer | null = req.readableLength === announced ? req.read() : null;
    if (whole === null) {
      req.on('data', onData).on('end', onEnd).on('timeout', onTimeout).on('close', onClose);
      return;
    }
    chunks.push(whole);
    bytes = announced;
    req.resume();
    onEnd();
  };
  process.nextTick(read);
  return { fail };
}

export function idleError(idleMs: number, bytes: number): WarpDriveError {
  return new WarpDriveError('WD_E_IDLE', `no byte of the request body arrived for ${idleMs} ms`, {
    idleMs,
    receivedBytes: bytes,
  });
}
