import type { Clock } from '../timing.ts';

const CLIENTS = 3;
const BODY_BYTES = 512 * 1024;
const LASTS_MS = 60_000;
const PAUSE_AFTER_ERROR_MS = 500;
const WORDS =
  'queue doorbell engine stream page fault mapped window token level buffer commit status latency'.split(' ');

/** Traffic for a first look: this page itself posts made-up log lines to the service for a minute. */
export class DemoLoad {
  private untilMs = 0;

  constructor(
    private readonly origin: string,
    private readonly clock: Clock,
  ) {}

  start(): void {
    const wasRunning = this.untilMs > this.clock.nowMs();
    this.untilMs = this.clock.nowMs() + LASTS_MS;
    if (wasRunning) return;
    const body = new Blob([logLines(this.clock, BODY_BYTES)]);
    for (let client = 0; client < CLIENTS; client++) void this.run(body, client % 2 === 0 ? 'gzip' : 'zlib');
  }

  private async run(body: Blob, format: string): Promise<void> {
    while (this.clock.nowMs() < this.untilMs) {
      try {
        const response = await fetch(`${this.origin}/v1/compress?format=${format}`, { method: 'POST', body });
        await response.arrayBuffer();
      } catch {
        await new Promise<void>((resolve) => void this.clock.after(PAUSE_AFTER_ERROR_MS, resolve));
      }
    }
  }
}

function logLines(clock: Clock, bytes: number): string {
  const below = (limit: number) => Math.floor(clock.random() * limit);
  const word = () => WORDS[below(WORDS.length)] ?? '';
  let text = '';
  while (text.length < bytes)
    text += `${1_700_000_000 + below(86_400)} ${word()} ${word()}=${below(1e6)} ${word()}\n`;
  return text.slice(0, bytes);
}
