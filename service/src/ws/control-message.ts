import { z } from 'zod';
import { MAX_CREDIT_BYTES, type StreamClientMessage } from '../../../shared/src/stream-protocol.ts';

/** A control message is short; the text of a longer one is not even parsed. */
const MAX_TEXT = 1024;

const message: z.ZodType<StreamClientMessage> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('flush') }),
  z.strictObject({ type: z.literal('finish') }),
  z.strictObject({ type: z.literal('credit'), bytes: z.int().min(0).max(MAX_CREDIT_BYTES) }),
]);

/** The message in a text frame; undefined if it is none. */
export function controlMessage(text: string): StreamClientMessage | undefined {
  if (text.length > MAX_TEXT) return undefined;
  try {
    return message.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
