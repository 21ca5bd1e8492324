import { el, setAttribute, setText, setTitle } from './dom.ts';

export interface Column<Row> {
  key: string;
  label: string;
  /** What the column says, with unit and window; shown as the header's tooltip. */
  hint: string;
  numeric?: boolean;
  /** Left out of narrow panels, where another column says nearly the same. */
  optional?: boolean;
  text(row: Row): string;
  /** What the column sorts by; its text if absent. Unknown numbers sort last. */
  order?(row: Row): number;
  tone?(row: Row): 'warn' | 'bad' | undefined;
  /** Puts more than text into the cell; called for each reading with the cell's own slot. */
  decorate?(slot: HTMLElement, row: Row): void;
}

export interface Sort {
  key: string;
  isDescending: boolean;
}

/** Rows out of sight are filled with every so many readings: about every two seconds. */
const RENDERS_PER_FULL = 2;

interface DataTableOptions {
  /** A person chose a row, by click or Enter. */
  onChoose?(key: string): void;
}

interface RowView {
  root: HTMLTableRowElement;
  cells: { td: HTMLElement; slot: HTMLElement | undefined; text: HTMLElement }[];
}

/** A table whose rows keep their elements from reading to reading; a click on a header sorts. */
export class DataTable<Row> {
  readonly root: HTMLTableElement;
  private readonly body = el('tbody');
  private readonly headers: HTMLElement[];
  private readonly views = new Map<string, RowView>();
  /** The row that a person chose; it stays chosen wherever it is sorted to. */
  chosenKey: string | undefined;
  private renders = 0;
  private rows: readonly Row[] = [];
  /** The element that scrolls the table. */
  private box: HTMLElement | undefined;
  private firstInSight = 0;
  private lastInSight = Number.POSITIVE_INFINITY;

  constructor(
    private readonly columns: readonly Column<Row>[],
    private readonly keyOf: (row: Row) => string,
    public sort: Sort,
    private readonly onSort: () => void,
    private readonly options: DataTableOptions = {},
  ) {
    this.headers = columns.map((column) => this.headerCell(column));
    this.root = el('table', { class: 'data' }, el('thead', {}, el('tr', {}, ...this.headers)), this.body);
    this.markSort();
    if (options.onChoose !== undefined) this.listen();
  }

  render(rows: readonly Row[]): void {
    const sorted = this.sorted(rows);
    this.rows = sorted;
    this.watchBox();
    const keys = new Set(sorted.map(this.keyOf));
    for (const [key, view] of this.views) {
      if (keys.has(key)) continue;
      view.root.remove();
      this.views.delete(key);
    }
    let place = this.body.firstElementChild;
    const isDue = ++this.renders % RENDERS_PER_FULL === 1;
    for (const [index, row] of sorted.entries()) {
      const isNew = !this.views.has(this.keyOf(row));
      const view = this.viewOf(this.keyOf(row));
      if (view.root === place) place = place.nextElementSibling;
      else this.body.insertBefore(view.root, place);
      const isInSight = this.isInSight(index);
      if (isDue || isNew || isInSight) this.fill(view, row, isInSight);
      if (this.options.onChoose !== undefined)
        setAttribute(view.root, 'aria-selected', String(this.keyOf(row) === this.chosenKey));
    }
    this.keepReachable();
  }

  private isInSight(index: number): boolean {
    return index >= this.firstInSight && index <= this.lastInSight;
  }

  /** The box tells when what is in sight changes, so that a drawing need not ask for the layout. */
  private watchBox(): void {
    const box = this.root.parentElement;
    if (box === null || box === this.box) return;
    this.box = box;
    box.addEventListener('scroll', () => this.look(), { passive: true });
    const observer = new ResizeObserver(() => this.look());
    observer.observe(box);
    observer.observe(this.root);
  }

  /** Finds out which rows, by their place, are in sight, and fills those that came into it. */
  private look(): void {
    const { box } = this;
    const rowPx = this.body.rows[0]?.offsetHeight ?? 0;
    if (box === undefined || rowPx === 0) return;
    const [first, last] = [this.firstInSight, this.lastInSight];
    this.firstInSight = Math.floor(box.scrollTop / rowPx) - 2;
    this.lastInSight = Math.ceil((box.scrollTop + box.clientHeight) / rowPx);
    if (first === this.firstInSight && last === this.lastInSight) return;
    for (const [index, row] of this.rows.entries())
      this.fill(this.viewOf(this.keyOf(row)), row, this.isInSight(index));
  }

  /** Brings the chosen row into sight. */
  reveal(): void {
    this.views.get(this.chosenKey ?? '')?.root.scrollIntoView({ block: 'nearest' });
  }

  private choose(row: HTMLTableRowElement): void {
    this.chosenKey = row.dataset['key'];
    if (this.chosenKey !== undefined) this.options.onChoose?.(this.chosenKey);
  }

  /** One row is in the tab order: the chosen one, else the first. */
  private keepReachable(): void {
    if (this.options.onChoose === undefined) return;
    const reachable = this.views.get(this.chosenKey ?? '')?.root ?? this.body.firstElementChild;
    for (const { root } of this.views.values()) {
      const index = root === reachable || root === document.activeElement ? 0 : -1;
      if (root.tabIndex !== index) root.tabIndex = index;
    }
  }

  private listen(): void {
    this.root.setAttribute('role', 'grid');
    const rowOf = (target: EventTarget | null) =>
      target instanceof Element ? target.closest<HTMLTableRowElement>('tbody tr') : null;
    this.body.addEventListener('click', (event) => {
      const row = rowOf(event.target);
      if (row !== null) this.choose(row);
    });
    this.body.addEventListener('keydown', (event) => {
      const row = rowOf(event.target);
      if (row === null) return;
      if (event.key === 'Enter') this.choose(row);
      const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
      if (!(next instanceof HTMLElement)) return;
      event.preventDefault();
      next.tabIndex = 0;
      next.focus();
    });
  }

  private sorted(rows: readonly Row[]): Row[] {
    const column = this.columns.find(({ key }) => key === this.sort.key);
    if (column === undefined) return [...rows];
    const sign = this.sort.isDescending ? -1 : 1;
    const { order } = column;
    return [...rows].sort((a, b) => {
      const byColumn =
        order === undefined
          ? compareTexts(column.text(a), column.text(b)) * sign
          : compareNumbers(order(a), order(b), sign);
      return byColumn === 0 ? compareTexts(this.keyOf(a), this.keyOf(b)) : byColumn;
    });
  }

  /** Pictures of rows out of sight are taken out: each one costs the browser a layer. */
  private fill(view: RowView, row: Row, isInSight: boolean): void {
    this.columns.forEach((column, index) => {
      const cell = view.cells[index];
      if (cell === undefined) return;
      const text = column.text(row);
      setText(cell.text, text);
      if (column.numeric !== true) setTitle(cell.td, text);
      setAttribute(cell.td, 'data-tone', column.tone?.(row) ?? 'plain');
      if (cell.slot === undefined) return;
      cell.slot.hidden = !isInSight;
      if (isInSight) column.decorate?.(cell.slot, row);
    });
  }

  private viewOf(key: string): RowView {
    const known = this.views.get(key);
    if (known !== undefined) return known;
    const cells = this.columns.map((column) => {
      const text = el('span');
      const slot = column.decorate === undefined ? undefined : el('span', { class: 'slot' });
      const td = el('td', { class: classOf(column) }, ...(slot === undefined ? [text] : [slot, text]));
      return { td, slot, text };
    });
    const view = { root: el('tr', { attrs: { 'data-key': key } }, ...cells.map(({ td }) => td)), cells };
    this.views.set(key, view);
    return view;
  }

  private headerCell(column: Column<Row>): HTMLElement {
    const button = el('button', { title: column.hint, attrs: { type: 'button' } }, column.label);
    button.addEventListener('click', () => {
      const isSame = this.sort.key === column.key;
      // figures are mostly looked for from the top, names from the start
      this.sort = {
        key: column.key,
        isDescending: isSame ? !this.sort.isDescending : column.numeric === true,
      };
      this.markSort();
      this.onSort();
    });
    return el('th', { class: classOf(column), attrs: { scope: 'col', 'data-column': column.key } }, button);
  }

  private markSort(): void {
    this.columns.forEach((column, index) => {
      const direction = this.sort.isDescending ? 'descending' : 'ascending';
      this.headers[index]?.setAttribute('aria-sort', column.key === this.sort.key ? direction : 'none');
    });
  }
}

const classOf = <Row>({ key, numeric, optional }: Column<Row>) =>
  ['col', `col-${key}`, numeric === true ? 'num' : '', optional === true ? 'optional' : '']
    .filter(Boolean)
    .join(' ');

const collator = new Intl.Collator('en', { numeric: true });
const compareTexts = (a: string, b: string) => collator.compare(a, b);

function compareNumbers(a: number, b: number, sign: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return (a - b) * sign;
}
