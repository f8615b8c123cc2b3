// The real <table> that regular-table fills with the cells in view, with the roles and numbers that screen readers need.
import 'regular-table';
import type { RegularTableElement } from 'regular-table';
import { visible } from '../../visible';
import { element } from './dom';
import type { Rows } from './rows';
import type { ColumnInfo, GridInfo, Range, SortKey } from './types';

const AWAIT_MS = 150;
const QUICK_TRIES = 20;
const LATER_MS = 250;
const DRAWN_CHARACTERS = 300;
const HEADERS = 2;
const NULL_MARK = 1;
const PENDING_MARK = 2;

/** Where the focus is; row -1 is the heading. */
export interface Position {
  row: number;
  column: number;
}

export interface TableEvents {
  onHeader: (column: number, event: MouseEvent) => void;
  onMenu: (column: number, anchor: DOMRect) => void;
}

export class Table {
  readonly host: RegularTableElement;
  readonly table: HTMLTableElement;

  constructor(
    private readonly info: GridInfo,
    private readonly rows: Rows,
    private readonly events: TableEvents,
    private readonly id: string,
    private readonly signal: AbortSignal
  ) {
    this.host = document.createElement('regular-table');
    document.body.append(this.host); // the element makes its table when it is first connected
    this.host.remove();
    // The library makes the element a stop of the Tab key, which the table inside is; -1 would keep Tab from the table too,
    // for it stands in the slot of a shadow root.
    this.host.removeAttribute('tabindex');
    this.host.setDataListener((x0, y0, x1, y1) => this.cells(x0, y0, x1, y1) as never, {
      column_classes: true
    });
    this.host.addStyleListener(() => this.style());
    this.table = this.host.querySelector('table')!;
    this.table.tabIndex = 0;
    this.table.setAttribute('role', 'grid');
    this.table.setAttribute('aria-multiselectable', 'true');
    this.table.setAttribute('aria-label', visible(`Result of ${info.connection}`));
    this.table.setAttribute('aria-colcount', String(info.columns.length + 1));
  }

  /**
   * Draw what is in view. The library measures in the course of it: where the output was moved or hidden for that moment, it
   * draws a heading without rows, and nothing would ever draw again, for the size that is observed is the same as before.
   */
  async draw(): Promise<void> {
    await this.drawOnce();
    void this.drawUntilComplete();
  }

  private async drawUntilComplete(): Promise<void> {
    if (this.isRepeating) {
      return;
    }
    this.isRepeating = true;
    for (let tries = 0; !this.isComplete && !this.signal.aborted; tries += 1) {
      await (tries < QUICK_TRIES ? nextFrame() : after(LATER_MS));
      await this.drawOnce();
    }
    this.isRepeating = false;
  }

  private async drawOnce(): Promise<void> {
    if (!this.host.isConnected || this.host.clientWidth === 0) {
      return;
    }
    try {
      await this.host.draw();
    } catch (error) {
      if (!this.hasFailed) {
        console.error('The grid could not be drawn, and is drawn again until it can', error);
      }
      this.hasFailed = true;
    }
  }

  private get isComplete(): boolean {
    const cells = this.rows.count * this.info.columns.length;
    return cells === 0 || this.table.querySelector('tbody td[id]') !== null;
  }

  /** Show where the focus and the selection are, and how columns are sorted. */
  mark(active: Position, selection: Range | null, sort: SortKey[], filtered: Set<number>): void {
    this.active = active;
    this.selection = selection;
    this.sort = sort;
    this.filtered = filtered;
    this.headers.forEach((header, column) => this.markHeader(header, column));
    this.style();
  }

  /** Scroll as little as shows a cell. */
  async reveal({ row, column }: Position): Promise<void> {
    if (row >= 0) {
      this.revealRow(row);
    }
    await this.host.flush();
    let seen = '';
    for (let tries = 0; ; tries += 1) {
      const { first, last } = this.bounds();
      const view = `${first} ${last} ${this.host.scrollLeft}`;
      if ((column >= first && column <= last) || view === seen) {
        return;
      }
      seen = view;
      // A step to the right first; widths are only known once columns were drawn, so look again as long as that moves it.
      const isStep = column > last && (tries > 0 || column === last + 1);
      const left = isStep ? first + column - last : column;
      const top = this.host.scrollTop;
      void this.host.scrollToCell(Math.min(left, column), 0);
      this.host.scrollTop = top; // at once: the library cannot count the rows of very tall tables
      await this.host.flush();
    }
  }

  /** The first and last column that are whole in view, and the rows. */
  bounds(): { first: number; last: number; top: number; bottom: number } {
    const right = this.host.getBoundingClientRect().right + 1;
    let [first, last] = [Infinity, -1];
    for (const cell of this.table.querySelectorAll<HTMLElement>('thead tr:first-child th')) {
      const column = this.columnOf(cell);
      if (column !== undefined && (cell.getBoundingClientRect().right <= right || last < 0)) {
        first = Math.min(first, column);
        last = Math.max(last, column);
      }
    }
    const start = this.startRow();
    return {
      first: first === Infinity ? 0 : first,
      last: Math.max(last, 0),
      top: Math.floor(start),
      bottom: Math.min(this.rows.count - 1, Math.ceil(start + this.visibleRows()) - 1)
    };
  }

  /** Rows that fit into the view. */
  visibleRows(): number {
    return Math.max(1, this.host.clientHeight / this.rowHeight() - HEADERS);
  }

  rowHeight(): number {
    const cell = this.table.querySelector<HTMLElement>('tbody td');
    return cell?.offsetHeight || 22;
  }

  /** Of a cell or a heading, if it is drawn. */
  cell({ row, column }: Position): HTMLElement | null {
    return this.table.querySelector(`#${this.cellId(row, column)}`);
  }

  at(target: EventTarget | null): Position | null {
    const cell = target instanceof Element ? target.closest<HTMLElement>('td, th') : null;
    const meta = cell === null ? undefined : this.host.getMeta(cell);
    if (meta?.type === 'body') {
      return { row: meta.y, column: meta.x };
    }
    return meta?.type === 'column_header' ? { row: -1, column: meta.x } : null;
  }

  /** Of a heading; undefined for the corner. */
  private columnOf(header: HTMLElement): number | undefined {
    const meta = this.host.getMeta(header);
    return meta?.type === 'column_header' ? meta.x : undefined;
  }

  private startRow(): number {
    const range = this.host.scrollHeight - this.host.clientHeight;
    const scrollable = Math.max(0, this.rows.count - this.visibleRows());
    return range <= 0 ? 0 : (scrollable * this.host.scrollTop) / range;
  }

  private revealRow(row: number): void {
    const start = this.startRow();
    const visible = this.visibleRows();
    const scrollable = Math.max(0, this.rows.count - visible);
    const range = this.host.scrollHeight - this.host.clientHeight;
    if (scrollable === 0 || range <= 0) {
      return;
    }
    if (row < start) {
      this.host.scrollTop = Math.floor((row / scrollable) * range);
    } else if (row + 1 > start + visible) {
      this.host.scrollTop = Math.ceil(((row + 1 - visible) / scrollable) * range);
    }
  }

  private async cells(x0: number, y0: number, x1: number, y1: number): Promise<object> {
    const { count, isFrozen } = this.rows;
    const missing = isFrozen ? '…' : ''; // of a column that was never in view
    const [right, bottom] = [Math.min(x1, this.info.columns.length), Math.min(y1, count)];
    const loading = this.rows.load(x0, y0, right, bottom);
    await Promise.race([loading, after(AWAIT_MS)]);
    const data: string[][] = [];
    const metadata: number[][] = [];
    for (let column = x0; column < right; column += 1) {
      const texts: string[] = [];
      const marks: number[] = [];
      for (let row = y0; row < bottom; row += 1) {
        const text = this.rows.text(row, column);
        texts.push(text === null ? 'NULL' : drawn(text ?? missing));
        marks.push(text === null ? NULL_MARK : text === undefined && !isFrozen ? PENDING_MARK : 0);
      }
      data.push(texts);
      metadata.push(marks);
    }
    const shown = this.info.columns.slice(x0, right);
    return {
      num_rows: count,
      num_columns: this.info.columns.length,
      num_column_headers: HEADERS,
      num_row_headers: 1,
      column_header_merge_depth: 0,
      merge_headers: 'row',
      column_headers: shown.map((column, place) => [this.header(x0 + place), visible(column.type)]),
      row_headers: Array.from({ length: Math.max(0, bottom - y0) }, (_, place) => [
        (this.rows.placeOf(y0 + place) + 1).toLocaleString('en-US')
      ]),
      data,
      metadata
    };
  }

  private header(column: number): HTMLElement {
    let made = this.headers.get(column);
    if (made === undefined) {
      made = this.makeHeader(column, this.info.columns[column]!);
      this.headers.set(column, made);
      this.markHeader(made, column);
    }
    return made;
  }

  private makeHeader(column: number, info: ColumnInfo): HTMLElement {
    const name = element('span', { className: 'tusk-name', title: `${info.name}\n${info.type}` }, info.name);
    const menu = element(
      'span',
      { className: 'tusk-menu', title: 'Sort, filter, statistics', attributes: { 'aria-hidden': 'true' } },
      '⋮'
    );
    menu.addEventListener('click', event => {
      event.stopPropagation();
      this.events.onMenu(column, menu.getBoundingClientRect());
    });
    const made = element(
      'span',
      { className: 'tusk-header' },
      name,
      element('span', { className: 'tusk-sorted', attributes: { 'aria-hidden': 'true' } }),
      element('span', { className: 'tusk-filtered', title: 'Filtered' }),
      menu
    );
    made.addEventListener('click', event => this.events.onHeader(column, event));
    return made;
  }

  private markHeader(header: HTMLElement, column: number): void {
    const place = this.sort.findIndex(key => key.column === column);
    const key = this.sort[place];
    const arrow = key === undefined ? '' : key.descending ? '↓' : '↑';
    const order = key !== undefined && this.sort.length > 1 ? String(place + 1) : '';
    header.querySelector('.tusk-sorted')!.textContent = arrow + order;
    header.querySelector<HTMLElement>('.tusk-filtered')!.hidden = !this.filtered.has(column);
  }

  private style(): void {
    this.table.setAttribute('aria-rowcount', String(this.rows.count + HEADERS));
    this.table.querySelectorAll('thead tr').forEach((row, place) => {
      row.setAttribute('aria-rowindex', String(place + 1));
      row.querySelectorAll<HTMLElement>('th').forEach(cell => this.styleHeader(cell, place));
    });
    for (const row of this.table.querySelectorAll('tbody tr')) {
      for (const cell of row.querySelectorAll<HTMLElement>('td, th')) {
        this.styleCell(cell, row);
      }
    }
    this.table.setAttribute('aria-activedescendant', this.cellId(this.active.row, this.active.column));
  }

  private styleHeader(cell: HTMLElement, place: number): void {
    const column = this.columnOf(cell);
    cell.classList.toggle('tusk-type', place > 0);
    if (column === undefined) {
      cell.setAttribute('role', 'presentation');
      return;
    }
    cell.setAttribute('role', 'columnheader');
    cell.setAttribute('scope', 'col');
    cell.setAttribute('aria-colindex', String(column + 2));
    cell.classList.toggle('tusk-right', this.info.columns[column]?.kind === 'number');
    if (place > 0) {
      return;
    }
    const key = this.sort.find(each => each.column === column);
    cell.id = this.cellId(-1, column);
    cell.dataset['column'] = String(column);
    cell.setAttribute('aria-sort', key === undefined ? 'none' : key.descending ? 'descending' : 'ascending');
    if (key !== undefined && this.sort.length > 1) {
      const place = this.sort.indexOf(key) + 1;
      cell.setAttribute('aria-description', `sorted by in place ${place} of ${this.sort.length}`);
    } else {
      cell.removeAttribute('aria-description');
    }
    cell.classList.toggle('tusk-active', this.active.row < 0 && this.active.column === column);
  }

  private styleCell(cell: HTMLElement, row: Element): void {
    const meta = this.host.getMeta(cell);
    if (meta?.type === 'row_header') {
      cell.setAttribute('role', 'rowheader');
      cell.setAttribute('aria-colindex', '1');
      row.setAttribute('aria-rowindex', String(meta.y + 1 + HEADERS));
      return;
    }
    if (meta?.type !== 'body') {
      return;
    }
    const { x: column, y, user: mark } = meta;
    cell.id = this.cellId(y, column);
    cell.setAttribute('role', 'gridcell');
    cell.setAttribute('aria-colindex', String(column + 2));
    const selected = this.selection !== null && within(this.selection, y, column);
    cell.setAttribute('aria-selected', String(selected));
    cell.classList.toggle('tusk-right', this.info.columns[column]?.kind === 'number');
    cell.classList.toggle('tusk-null', mark === NULL_MARK);
    cell.classList.toggle('tusk-pending', mark === PENDING_MARK);
    cell.classList.toggle('tusk-selected', selected);
    cell.classList.toggle('tusk-active', this.active.row === y && this.active.column === column);
  }

  private cellId(row: number, column: number): string {
    return `${this.id}-${row < 0 ? 'h' : row}-${column}`;
  }

  private readonly headers = new Map<number, HTMLElement>();
  private active: Position = { row: 0, column: 0 };
  private selection: Range | null = null;
  private sort: SortKey[] = [];
  private filtered = new Set<number>();
  private isRepeating = false;
  private hasFailed = false;
}

function after(milliseconds: number): Promise<void> {
  return new Promise(resolve => window.setTimeout(resolve, milliseconds));
}

function nextFrame(): Promise<number> {
  return new Promise(requestAnimationFrame);
}

/** One line, not longer than can be seen; the kernel sends a character more where there is more. */
function drawn(text: string): string {
  const cut = text.length > DRAWN_CHARACTERS ? `${text.slice(0, DRAWN_CHARACTERS)}…` : text;
  return visible(cut.replace(/\r\n|\r|\n/g, '↵').replace(/\t/g, '⇥'));
}

function within(range: Range, row: number, column: number): boolean {
  return row >= range.top && row <= range.bottom && column >= range.left && column <= range.right;
}
