import { el, setAttribute } from './dom.ts';

/** A horizontal bar for a share from 0 to 1. The figure itself always stands beside it as text. */
export class Meter {
  readonly root: HTMLElement;
  private drawn = '';

  constructor(label: string) {
    this.root = el('span', {
      class: 'meter',
      attrs: { role: 'meter', 'aria-label': label, 'aria-valuemin': '0', 'aria-valuemax': '100' },
    });
    this.set(0);
  }

  set(ratio: number): void {
    const share = Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : 0;
    const filled = `${(share * 100).toFixed(1)}% 100%`;
    if (filled === this.drawn) return;
    this.drawn = filled;
    setAttribute(this.root, 'aria-valuenow', String(Math.round(share * 100)));
    // a background, because a transform or a clip of each bar would let the browser sort all layers of the page anew
    this.root.style.backgroundSize = filled;
  }
}
