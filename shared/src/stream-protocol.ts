import type { Problem } from './problem.ts';
import type { CoreName } from './telemetry.ts';

/**
 * Text messages of /v1/stream (subprotocol warpdrive.stream.v1); payload travels in binary frames. docs/websocket.md
 * says when each may be sent.
 */
export type StreamClientMessage =
  /** Compression only: what was sent so far comes out, ended by a sync flush. */
  | { type: 'flush' }
  /** All payload was sent. */
  | { type: 'finish' }
  /**
   * The server may send this many more payload bytes. As the very first message it turns flow control on for both
   * directions; without it the socket alone holds either side back.
   */
  | { type: 'credit'; bytes: number };

export type StreamServerMessage =
  /** The client may send this many more payload bytes; comes only where flow control is on. */
  | { type: 'credit'; bytes: number }
  /** The operation is complete; close 1000 follows. `crc32` is of the uncompressed side, an unsigned number. */
  | {
      type: 'done';
      bytesIn: number;
      bytesOut: number;
      crc32: number;
      core: CoreName;
      /** Id of the record at /v1/jobs/:id. */
      job: string;
      /** Set when software made any of the bytes. */
      fallbackReason?: string;
    }
  /** The operation failed; a close with the problem's code follows. */
  | { type: 'error'; problem: Problem };

/** Largest `bytes` of one credit message; also the most that may be outstanding. */
export const MAX_CREDIT_BYTES = 2 ** 40;

/**
 * Offered besides the stream or monitor subprotocol by clients that cannot set header fields (browsers): this prefix,
 * then the token in base64url without padding. It is never selected and never logged.
 */
export const BEARER_PROTOCOL_PREFIX = 'warpdrive.bearer.';
