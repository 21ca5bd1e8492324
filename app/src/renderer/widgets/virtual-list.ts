import { el } from './dom.ts';

interface VirtualListOptions<View extends { root: HTMLElement }> {
  rowHeightPx: number;
  createRow(): View;
  /** Shows item `index` in the row. */
  fillRow(row: View, index: number): void;
}

const SPARE_ROWS = 2;

/** A scrolling list of rows of one height, of which only those in sight have elements. */
export class VirtualList<View extends { root: HTMLElement }> {
  readonly root = el('div', { class: 'virtual' });
  private readonly canvas = el('div', { class: 'virtual-canvas' });
  private readonly rows: View[] = [];
  private readonly observer: ResizeObserver;
  private length = 0;
  /** As the browser last told them: to ask for them while drawing would lay the page out. */
  private scrolledPx = 0;
  private heightPx = 0;

  constructor(private readonly options: VirtualListOptions<View>) {
    this.root.append(this.canvas);
    this.root.addEventListener('scroll', () => this.look(), { passive: true });
    this.observer = new ResizeObserver(() => this.look());
    this.observer.observe(this.root);
  }

  /**
   * Shows `length` items.
   * @param addedAbove items that are new at the top; a list that was scrolled away from the top keeps its place
   */
  update(length: number, addedAbove: number): void {
    this.length = length;
    this.canvas.style.height = `${length * this.options.rowHeightPx}px`;
    if (this.scrolledPx > 0 && addedAbove > 0) {
      this.root.scrollTop += addedAbove * this.options.rowHeightPx;
      this.look();
    } else this.draw();
  }

  scrollTo(index: number): void {
    const { rowHeightPx } = this.options;
    const top = index * rowHeightPx;
    const { scrollTop, clientHeight } = this.root;
    if (top < scrollTop) this.root.scrollTop = top;
    else if (top + rowHeightPx > scrollTop + clientHeight)
      this.root.scrollTop = top + rowHeightPx - clientHeight;
  }

  dispose(): void {
    this.observer.disconnect();
  }

  private look(): void {
    this.scrolledPx = this.root.scrollTop;
    this.heightPx = this.root.clientHeight;
    this.draw();
  }

  private draw(): void {
    const { rowHeightPx, createRow, fillRow } = this.options;
    const first = Math.max(0, Math.floor(this.scrolledPx / rowHeightPx) - SPARE_ROWS);
    const wanted = Math.ceil(this.heightPx / rowHeightPx) + 2 * SPARE_ROWS;
    const used = Math.max(0, Math.min(wanted, this.length - first));
    while (this.rows.length < used) {
      const row = createRow();
      this.rows.push(row);
      this.canvas.append(row.root);
    }
    this.rows.forEach((row, place) => {
      row.root.hidden = place >= used;
      if (place >= used) return;
      row.root.style.transform = `translateY(${(first + place) * rowHeightPx}px)`;
      fillRow(row, first + place);
    });
  }
}
