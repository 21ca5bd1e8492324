const WORDS =
  'queue doorbell device driver memory page fault stream engine request response header value index buffer process kernel user time error status token level'.split(
    ' ',
  );

/** Text-like JSON lines, the same on every machine: compresses about 4 : 1 at level 1. */
export function jsonPayload(bytes: number): Buffer {
  let state = 0x9e3779b9;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const word = (): string => WORDS[random(WORDS.length)] ?? '';
  const lines: string[] = [];
  for (let length = 0, id = 1; length < bytes; id++) {
    const line = `{"id":${id},"at":${1_700_000_000 + random(1_000_000)},"kind":"${word()}","text":"${word()} ${word()} ${word()} ${random(10_000)}","ok":${random(2) === 1}}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}
