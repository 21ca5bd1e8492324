import { el, setAttribute } from './dom.ts';

/** A horizontal bar for a share from 0 to 1. The figure itself always stands beside it as text. */
export class Meter {
  private readonly fill = el('i');
  readonly root: HTMLElement;

  constructor(label: string) {
    this.root = el(
      'span',
      {
        class: 'meter',
        attrs: { role: 'meter', 'aria-label': label, 'aria-valuemin': '0', 'aria-valuemax': '100' },
      },
      this.fill,
    );
    this.set(0);
  }

  set(ratio: number): void {
    const share = Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : 0;
    setAttribute(this.root, 'aria-valuenow', String(Math.round(share * 100)));
    this.fill.style.transform = `scaleX(${share.toFixed(3)})`;
  }
}
