/** V8's own block coverage of the product's code in this process, as feedback for the fuzzer. */
import { Session } from 'node:inspector';

interface Range {
  startOffset: number;
  endOffset: number;
  count: number;
}
interface ScriptCoverage {
  url: string;
  functions: { ranges: Range[] }[];
}
/** Offsets in the text of a script. */
export type Places = Map<string, Set<number>>;

const PRODUCT = /\/dist\/(service|shared)\/src\//;

export class Coverage {
  /** Characters of the product's code that ran. */
  characters = 0;
  private readonly session = new Session();
  private readonly seen: Places = new Map();

  constructor() {
    this.session.connect();
    this.post('Profiler.enable');
    this.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** What ran since the last call and never before; about 4 ms. */
  take(): Places {
    const fresh: Places = new Map();
    this.eachThatRan((url, at) => {
      const seen = placesIn(this.seen, url);
      if (seen.has(at)) return;
      seen.add(at);
      placesIn(fresh, url).add(at);
      this.characters++;
    });
    return fresh;
  }

  /** Whether any of `places` ran since the last call; those that did are taken out. */
  claim(places: Places): boolean {
    let isReached = false;
    this.eachThatRan((url, at) => {
      const wanted = places.get(url);
      if (!wanted?.delete(at)) return;
      isReached = true;
      if (wanted.size === 0) places.delete(url);
    });
    return isReached;
  }

  close(): void {
    this.session.disconnect();
  }

  private eachThatRan(visit: (url: string, at: number) => void): void {
    const { result } = this.post('Profiler.takePreciseCoverage') as { result: ScriptCoverage[] };
    for (const { url, functions } of result) {
      if (!PRODUCT.test(url)) continue;
      for (const { ranges } of functions) {
        const [whole] = ranges;
        if (!whole || whole.count === 0) continue;
        const start = whole.startOffset;
        const ran = new Uint8Array(whole.endOffset - start);
        // outer ranges come first: an inner one says better what ran
        for (const { startOffset, endOffset, count } of ranges)
          ran.fill(count > 0 ? 1 : 0, startOffset - start, endOffset - start);
        for (let i = 0; i < ran.length; i++) if (ran[i] === 1) visit(url, start + i);
      }
    }
  }

  private post(method: string, parameters?: object): unknown {
    let answer: unknown;
    this.session.post(method, parameters, (error, result) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}

function placesIn(places: Places, url: string): Set<number> {
  let found = places.get(url);
  if (!found) {
    found = new Set();
    places.set(url, found);
  }
  return found;
}
