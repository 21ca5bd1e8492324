/** A slow INFLATE (RFC 1951) that keeps the farthest distance it saw: an independent check of windows. */
export function inflateWithDistances(data: Uint8Array): {
  output: Buffer;
  farthest: number;
  bytesRead: number;
} {
  const out: number[] = [];
  let farthest = 0;
  let at = 0;
  let held = 0;
  let heldCount = 0;
  const bits = (count: number): number => {
    while (heldCount < count) {
      const byte = data[at++];
      if (byte === undefined) throw new Error('the data ends inside a block');
      held += byte * 2 ** heldCount;
      heldCount += 8;
    }
    const value = held % 2 ** count;
    held = Math.floor(held / 2 ** count);
    heldCount -= count;
    return value;
  };
  const decoder = (lengths: readonly number[]): (() => number) => {
    const codes = new Map<string, number>();
    let code = 0;
    for (let length = 1; length <= 15; length++) {
      for (const [symbol, bitsOf] of lengths.entries())
        if (bitsOf === length) codes.set(`${length}:${code++}`, symbol);
      code *= 2;
    }
    return () => {
      let value = 0;
      for (let length = 1; length <= 15; length++) {
        value = value * 2 + bits(1);
        const symbol = codes.get(`${length}:${value}`);
        if (symbol !== undefined) return symbol;
      }
      throw new Error('no such code');
    };
  };
  const fixedLengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
  for (let isLast = false; !isLast; ) {
    isLast = bits(1) === 1;
    const type = bits(2);
    if (type === 0) {
      held = 0;
      heldCount = 0;
      const length = bits(16);
      bits(16);
      for (let i = 0; i < length; i++) out.push(bits(8));
      continue;
    }
    let literals = decoder(fixedLengths);
    let distances = decoder(Array<number>(30).fill(5));
    if (type === 2) {
      const [litlen, dist, count] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
      const precode = Array<number>(19).fill(0);
      const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
      for (const symbol of order.slice(0, count)) precode[symbol] = bits(3);
      const next = decoder(precode);
      const lengths: number[] = [];
      while (lengths.length < litlen + dist) {
        const symbol = next();
        if (symbol < 16) lengths.push(symbol);
        else if (symbol === 16) lengths.push(...Array<number>(3 + bits(2)).fill(lengths.at(-1) ?? 0));
        else lengths.push(...Array<number>(symbol === 17 ? 3 + bits(3) : 11 + bits(7)).fill(0));
      }
      literals = decoder(lengths.slice(0, litlen));
      distances = decoder(lengths.slice(litlen));
    }
    for (let symbol = literals(); symbol !== 256; symbol = literals()) {
      if (symbol < 256) {
        out.push(symbol);
        continue;
      }
      const index = symbol - 257;
      const lengthExtra = index < 8 || index === 28 ? 0 : (index >> 2) - 1;
      const lengthBase = index < 8 ? index + 3 : index === 28 ? 258 : ((4 + (index & 3)) << lengthExtra) + 3;
      const length = lengthBase + bits(lengthExtra);
      const code = distances();
      const extra = code < 4 ? 0 : (code >> 1) - 1;
      const base = code < 4 ? code + 1 : ((2 + (code & 1)) << extra) + 1;
      const distance = base + bits(extra);
      if (distance > out.length) throw new Error('a distance reaches before the start');
      farthest = Math.max(farthest, distance);
      for (let i = 0; i < length; i++) out.push(out[out.length - distance] ?? 0);
    }
  }
  return { output: Buffer.from(out), farthest, bytesRead: at };
}
