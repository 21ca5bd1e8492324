import { byId, el, setText } from '../widgets/dom.ts';
import { dataSize, figure, megabytes, plural } from '../widgets/format.ts';
import type { Frame, Panel } from './panel.ts';

/** What the traffic of this moment would cost node:zlib; measured on samples of it, and labelled so. */
export class LiveCostPanel implements Panel {
  private readonly headline = el('p', { class: 'cost-headline' });
  private readonly value = el('b', { class: 'cost-value', text: '–' });
  private readonly how = el('p', { class: 'muted' });

  constructor() {
    this.headline.append(this.value, el('span', { text: ' threads of node:zlib' }));
    byId('live-cost', HTMLElement).append(this.headline, this.how);
  }

  render({ reading }: Frame): void {
    const software = reading?.software;
    const cores = reading?.rates.softwareCores ?? Number.NaN;
    setText(this.value, figure(cores));
    setText(
      this.how,
      software === undefined
        ? 'Not known yet. Once clients compress, the service compresses a small piece of their input with node:zlib about once a second and times it.'
        : `Sampled: ${plural(software.samples, 'piece')} of this traffic, ${dataSize(software.sampleBytes)} each, compressed by node:zlib at the clients’ level: ${megabytes(software.bytesPerSec)} MB/s a thread on this machine now. So much software the compression of HTTP and WebSocket clients in the last second would have needed.`,
    );
  }
}
