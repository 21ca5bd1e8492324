import type { Duplex } from 'node:stream';

const KEY_BYTES = 4;
/** What comes next from the client: the parts of a frame's head in their order (RFC 6455, 5.2), or payload. */
type Next = 'opcode' | 'length' | 'long length' | 'key' | 'payload';

/**
 * Takes the masks off a client's frames as they come from the socket, in place: payload is unmasked, and the masking key
 * becomes zero, which is a mask as any other (RFC 6455, 5.3). The socket's reader sees the same frames as without it. This
 * is because `ws` unmasks byte by byte in JavaScript, at the price of compression itself, unless the key is zero.
 */
export class FrameUnmasker {
  private next: Next = 'opcode';
  /** Bytes that are left of it. */
  private left = 1;
  private payloadBytes = 0;
  private isMasked = false;
  /** Turned so that its first byte is the one for the next byte of payload. */
  private readonly key = new Uint8Array(KEY_BYTES);
  private readonly keyWord = new Int32Array(this.key.buffer);

  /** To be called in the turn in which the socket's reader began to listen: it comes before the reader. */
  static listen(socket: Duplex): void {
    const unmasker = new FrameUnmasker();
    socket.prependListener('data', (chunk: Buffer) => unmasker.unmask(chunk));
  }

  unmask(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length)
      if (this.next === 'payload') at = this.payload(chunk, at);
      else this.head(chunk, at++);
  }

  private head(chunk: Uint8Array, at: number): void {
    const byte = chunk[at] ?? 0;
    this.left--;
    switch (this.next) {
      case 'opcode':
        this.expect('length', 1);
        return;
      case 'length': {
        this.isMasked = (byte & 0x80) !== 0;
        const bytes = byte & 0x7f;
        this.payloadBytes = bytes < 126 ? bytes : 0;
        if (bytes < 126) this.afterLength();
        else this.expect('long length', bytes === 126 ? 2 : 8);
        return;
      }
      case 'long length':
        this.payloadBytes = this.payloadBytes * 256 + byte;
        if (this.left === 0) this.afterLength();
        return;
      case 'key':
        chunk[at] = 0;
        this.key[KEY_BYTES - 1 - this.left] = byte;
        if (this.left === 0) this.expectPayload();
    }
  }

  private afterLength(): void {
    if (this.isMasked) this.expect('key', KEY_BYTES);
    else this.expectPayload();
  }

  private expectPayload(): void {
    if (this.payloadBytes > 0) this.expect('payload', this.payloadBytes);
    else this.expect('opcode', 1);
  }

  private expect(next: Next, bytes: number): void {
    this.next = next;
    this.left = bytes;
  }

  /** @returns where the payload or the chunk ends */
  private payload(chunk: Uint8Array, start: number): number {
    const end = Math.min(chunk.length, start + this.left);
    this.left -= end - start;
    if (this.isMasked) this.xor(chunk, start, end);
    if (this.left === 0) this.expect('opcode', 1);
    return end;
  }

  /** By words where the chunk's memory has whole ones. */
  private xor(chunk: Uint8Array, start: number, end: number): void {
    const { buffer, byteOffset } = chunk;
    let at = start;
    while (at < end && (byteOffset + at) % KEY_BYTES !== 0) this.xorByte(chunk, at++);
    const count = Math.floor((end - at) / KEY_BYTES);
    if (count > 0) xorWords(new Int32Array(buffer, byteOffset + at, count), this.keyWord[0] ?? 0);
    for (at += count * KEY_BYTES; at < end; at++) this.xorByte(chunk, at);
  }

  private xorByte(chunk: Uint8Array, at: number): void {
    const { key } = this;
    const first = key[0] ?? 0;
    chunk[at] = (chunk[at] ?? 0) ^ first;
    key.copyWithin(0, 1);
    key[KEY_BYTES - 1] = first;
  }
}

/** Eight words a turn take less than half the time of one a turn. */
function xorWords(words: Int32Array, key: number): void {
  const whole = words.length & ~7;
  let i = 0;
  for (; i < whole; i += 8) {
    words[i] = (words[i] ?? 0) ^ key;
    words[i + 1] = (words[i + 1] ?? 0) ^ key;
    words[i + 2] = (words[i + 2] ?? 0) ^ key;
    words[i + 3] = (words[i + 3] ?? 0) ^ key;
    words[i + 4] = (words[i + 4] ?? 0) ^ key;
    words[i + 5] = (words[i + 5] ?? 0) ^ key;
    words[i + 6] = (words[i + 6] ?? 0) ^ key;
    words[i + 7] = (words[i + 7] ?? 0) ^ key;
  }
  for (; i < words.length; i++) words[i] = (words[i] ?? 0) ^ key;
}
