import type { BenchRequest } from '../../../../shared/src/bench.ts';
import type { PageResponse } from '../../../../shared/src/telemetry.ts';

/** What became of a request: done, or why not, in words for the person who asked. */
export type Outcome = { ok: true } | { ok: false; words: string };

/** What an administrator may ask of a service, by HTTP with the token. */
export class AdminApi {
  token: string | undefined;

  constructor(private readonly origin: string) {}

  createMdev(type: string): Promise<Outcome> {
    return this.call('POST', '/v1/mdevs', { type });
  }

  removeMdev(uuid: string): Promise<Outcome> {
    return this.call('DELETE', `/v1/mdevs/${encodeURIComponent(uuid)}`);
  }

  resetQueue(id: string): Promise<Outcome> {
    return this.call('POST', `/v1/queues/${encodeURIComponent(id)}/reset`);
  }

  answerStall(stag: number, response: PageResponse): Promise<Outcome> {
    return this.call('POST', `/v1/iommu/stalls/${stag}`, { response });
  }

  startBench(request: Partial<BenchRequest>): Promise<Outcome> {
    return this.call('POST', '/v1/bench', request);
  }

  cancelBench(id: string): Promise<Outcome> {
    return this.call('DELETE', `/v1/bench/${encodeURIComponent(id)}`);
  }

  private async call(method: string, path: string, body?: object): Promise<Outcome> {
    try {
      const response = await fetch(this.origin + path, {
        method,
        headers: {
          ...(this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return response.ok
        ? { ok: true }
        : { ok: false, words: problemWords(response.status, await response.text()) };
    } catch {
      return {
        ok: false,
        words: 'The service did not answer. Is it still running, and does it allow this page?',
      };
    }
  }
}

/** A problem document (RFC 9457) as two sentences: what is the matter, and what to do. */
export function problemWords(status: number, text: string): string {
  try {
    const { title, detail, advice } = JSON.parse(text) as Record<string, unknown>;
    const parts = [title, detail].filter((part) => typeof part === 'string' && part !== '');
    const next = typeof advice === 'string' ? ` ${advice}` : '';
    if (parts.length > 0) return `${parts.join(': ').replace(/[.\s]+$/, '')}.${next}`;
  } catch {
    // not a problem document
  }
  return `The service answered with status ${status}.`;
}
