const WORDS =
  'queue doorbell engine stream page fault mapped window token level buffer commit status latency'.split(' ');

/** Log-like text of `bytes` bytes; differs for each seed. */
export function logLines(bytes, seed) {
  let state = seed * 2_654_435_761;
  const below = (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
  const lines = [];
  for (let size = 0; size < bytes; ) {
    const line = `${1_700_000_000 + below(86_400)} ${WORDS[below(14)]} ${WORDS[below(14)]}=${below(1_000_000)} ${WORDS[below(14)]}\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

export const nap = (ms) => new Promise((done) => setTimeout(done, ms));
