import { MEDIA_TYPES } from '../../../shared/src/format.ts';
import type { CompressOptions, DecompressOptions } from '../codec/codec.ts';
import { parseParameters } from '../config/stream-parameters.ts';
import type { Counters, JobCounters, RouteCounters } from '../telemetry/counters.ts';

/** Limits of one request; 0 is no limit. */
export interface Limits {
  maxInput: number;
  maxOutput: number;
  maxRatio: number;
}

/** What a URL of a streaming route asks for. Shared by all requests with that URL, hence immutable. */
export type StreamRequest = Readonly<
  { contentType: string; route: RouteCounters; jobs: JobCounters } & (
    | { op: 'compress'; options: Readonly<CompressOptions> }
    | { op: 'decompress'; options: Readonly<DecompressOptions> }
  )
>;

const REMEMBERED_URLS = 256;
const OPERATION_OF: ReadonlyMap<string, 'compress' | 'decompress'> = new Map([
  ['/v1/compress', 'compress'],
  ['/v1/decompress', 'decompress'],
]);

/** Turns URLs into requests. A URL is parsed once and remembered, because parsing costs as much as a small job. */
export class StreamRequests {
  private readonly known = new Map<string, StreamRequest>();
  constructor(
    private readonly counters: Counters,
    private readonly limits: Limits,
  ) {}

  /**
   * Undefined if the URL belongs to another route.
   * @throws WD_E_PARAMETER naming parameter, value and what is allowed
   */
  of(url: string): StreamRequest | undefined {
    const known = this.known.get(url);
    if (known !== undefined) return known;
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const op = OPERATION_OF.get(path);
    if (op === undefined) return undefined;
    const request = this.parse(path, op, new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)));
    if (this.known.size >= REMEMBERED_URLS) this.known.clear();
    this.known.set(url, request);
    return request;
  }

  private parse(path: string, op: 'compress' | 'decompress', query: URLSearchParams): StreamRequest {
    const parameters = parseParameters(op, query);
    const accounts = { route: this.counters.route(path), jobs: this.counters.job(op, parameters.format) };
    const { maxInput, maxOutput, maxRatio } = this.limits;
    if (parameters.op === 'compress') {
      const { format, level } = parameters;
      const options = { format, level, owner: 'http', maxInputBytes: maxInput };
      return { op: 'compress', contentType: MEDIA_TYPES[format], options, ...accounts };
    }
    const { format } = parameters;
    const options = { format, maxInputBytes: maxInput, maxOutputBytes: maxOutput, maxRatio };
    return { op: 'decompress', contentType: 'application/octet-stream', options, ...accounts };
  }
}
