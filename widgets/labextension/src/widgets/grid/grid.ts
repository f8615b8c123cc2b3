// One grid: the line above, the table, and what keys and the mouse do.
import type { AnyModel } from '@anywidget/types';
import { keepKeys } from '../../keys';
import { openCell, type WholeCell } from './cellDialog';
import { copyText } from './clipboard';
import { openColumnMenu } from './columnMenu';
import { button, element, errorText, number, rowsText } from './dom';
import { openExport } from './exportDialog';
import { Kernel } from './kernel';
import { Rows } from './rows';
import { destination, Selection, type Extent } from './selection';
import { Table, type Position } from './table';
import type { Filter, GridInfo, GridState, SortKey, View } from './types';

const MOST_ROWS_HIGH = 16;
const LEAST_ROWS_HIGH = 3;
let grids = 0;

export class Grid {
  constructor(model: AnyModel<GridState>, el: HTMLElement, signal: AbortSignal) {
    this.info = model.get('info');
    this.kernel = new Kernel(model, signal, isWaiting => this.showWaiting(isWaiting));
    this.rows = new Rows(
      this.kernel,
      this.info,
      model.get('preview'),
      () => void this.table.draw(),
      error => this.say(errorText(error), true)
    );
    this.table = new Table(
      this.info,
      this.rows,
      {
        onHeader: (column, event) => this.sortBy(column, event.shiftKey),
        onMenu: (column, anchor) => this.openMenu(column, anchor)
      },
      `tusk-grid-${(grids += 1)}-${Math.random().toString(36).slice(2, 8)}`
    );
    this.build(el);
    this.listen(signal);
    this.mark();
  }

  private build(el: HTMLElement): void {
    const exporting = button('Export…', () =>
      openExport(
        this.root,
        this.kernel,
        this.info,
        this.rows.view,
        this.rows.count,
        exporting.getBoundingClientRect()
      )
    );
    const environment = this.info.environment;
    const mark =
      environment === null
        ? null
        : element('span', { className: `tusk-environment tusk-${environment}` }, environment);
    const toolbar = element(
      'div',
      { className: 'tusk-toolbar', attributes: { role: 'toolbar', 'aria-label': 'Result' } },
      mark,
      this.counted,
      this.chips,
      element('span', { className: 'tusk-space' }),
      exporting
    );
    const rowHeight = 22;
    const rows = Math.max(LEAST_ROWS_HIGH, Math.min(this.info.rows, MOST_ROWS_HIGH));
    this.frame.style.height = `${(rows + 2) * rowHeight + 16}px`;
    this.frame.append(this.table.host);
    this.root.append(toolbar, this.frame, this.said);
    keepKeys(this.root);
    el.append(this.root);
  }

  private listen(signal: AbortSignal): void {
    const { table } = this.table;
    table.addEventListener('keydown', event => this.onKey(event));
    table.addEventListener('dblclick', event => {
      const position = this.table.at(event.target);
      if (position !== null && position.row >= 0) {
        void this.open(position);
      }
    });
    table.addEventListener('mousedown', event => this.onMouseDown(event));
    table.addEventListener('mousemove', event => {
      const position = event.buttons === 1 && this.isDragging ? this.table.at(event.target) : null;
      if (position !== null && position.row >= 0) {
        this.selection.moveTo(position, true);
        this.mark();
      }
    });
    table.addEventListener('contextmenu', event => {
      const position = this.table.at(event.target);
      if (position !== null && position.row < 0) {
        event.preventDefault();
        event.stopPropagation(); // or JupyterLab opens its own menu too
        this.openMenu(position.column, new DOMRect(event.clientX, event.clientY));
      }
    });
    this.root.addEventListener('copy', event => {
      if (this.root.ownerDocument.activeElement === table) {
        event.preventDefault();
        event.stopPropagation();
        void this.copy(false);
      }
    });
    const observer = new ResizeObserver(() => void this.table.draw());
    observer.observe(this.frame);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  private onMouseDown(event: MouseEvent): void {
    const position = this.table.at(event.target);
    this.isDragging = position !== null && position.row >= 0 && event.button === 0;
    if (position !== null && this.isDragging) {
      event.preventDefault(); // no selection of text over cells
      this.table.table.focus({ preventScroll: true });
      this.selection.moveTo(position, event.shiftKey);
      this.mark();
    }
  }

  private onKey(event: KeyboardEvent): void {
    const { active } = this.selection;
    const position = event.altKey ? null : destination(event, active, this.extent());
    if (position !== null) {
      event.preventDefault();
      void this.moveTo(position, event.shiftKey);
    } else if (
      (event.key === 'ArrowDown' && event.altKey) ||
      event.key === 'ContextMenu' ||
      (event.key === 'F10' && event.shiftKey)
    ) {
      event.preventDefault();
      this.openMenu(active.column, this.anchorOf(active));
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (active.row < 0) {
        this.sortBy(active.column, event.shiftKey);
      } else {
        void this.open(active);
      }
    } else if (event.altKey && event.shiftKey && (event.code === 'KeyC' || event.key.toLowerCase() === 'c')) {
      event.preventDefault();
      void this.copy(true); // Ctrl+Shift+C is Lab's command palette
    } else if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      this.onCommandKey(event);
    }
  }

  private onCommandKey(event: KeyboardEvent): void {
    if (event.key.toLowerCase() === 'c') {
      event.preventDefault();
      void this.copy(false);
    } else if (event.key.toLowerCase() === 'a') {
      event.preventDefault();
      this.selection.selectAll(this.extent());
      this.mark();
    }
  }

  private async moveTo(position: Position, extend: boolean): Promise<void> {
    this.selection.moveTo(position, extend);
    this.mark();
    await this.table.reveal(position);
    this.mark();
  }

  private async open(position: Position): Promise<void> {
    const column = this.info.columns[position.column];
    if (column === undefined || position.row >= this.rows.count) {
      return;
    }
    try {
      const { content } = await this.kernel.ask<WholeCell>({
        ask: 'cell',
        row: position.row,
        column: position.column,
        view: this.rows.view
      });
      openCell(this.root, column, position.row, content, text => this.say(text));
    } catch (error) {
      this.say(errorText(error), true);
    }
  }

  private async copy(header: boolean): Promise<void> {
    const range = this.selection.range;
    if (range === null) {
      return;
    }
    const asked = this.kernel.ask<{ text: string; cells: number }>({
      ask: 'copy',
      start: range.top,
      stop: range.bottom + 1,
      first: range.left,
      last: range.right + 1,
      header,
      view: this.rows.view
    });
    try {
      await copyText(asked.then(({ content }) => content.text));
      const { cells } = (await asked).content;
      this.say(
        `Copied ${number(cells)} cell${cells === 1 ? '' : 's'}${header ? ' with their headings' : ''}.`
      );
    } catch (error) {
      this.say(errorText(error), true);
    }
  }

  /** A click goes through ascending, descending, not at all; with Shift the other keys stay. */
  private sortBy(column: number, add: boolean): void {
    const { sort, filters } = this.wished;
    const present = sort.find(key => key.column === column);
    const changed: SortKey[] =
      present === undefined
        ? [{ column, descending: false }]
        : present.descending
          ? []
          : [{ column, descending: true }];
    const keys = add
      ? present === undefined
        ? [...sort, ...changed]
        : sort.flatMap(key => (key.column === column ? changed : [key]))
      : changed;
    this.look({ sort: keys, filters }).catch((error: unknown) => this.say(errorText(error), true));
  }

  private openMenu(column: number, anchor: DOMRect): void {
    openColumnMenu({
      root: this.root,
      anchor,
      kernel: this.kernel,
      column,
      info: this.info.columns[column]!,
      view: this.wished,
      look: view => this.look(view)
    });
  }

  private async look(view: View): Promise<void> {
    this.said.textContent = '';
    this.root.setAttribute('aria-busy', 'true');
    this.wished = view; // what the next key starts from, also before the kernel has answered
    try {
      await this.rows.look(view);
    } catch (error) {
      this.wished = this.rows.view;
      throw error;
    } finally {
      this.root.removeAttribute('aria-busy');
    }
    this.table.host.scrollTop = 0;
    this.selection.clamp(this.rows.count);
    await this.table.draw();
    this.mark();
  }

  private mark(): void {
    const { view } = this.rows;
    const filtered = new Set(view.filters.map(filter => filter.column));
    this.table.mark(this.selection.active, this.selection.range, view.sort, filtered);
    this.counted.textContent = this.countText();
    this.chips.replaceChildren(...view.filters.map(filter => this.chip(filter)));
  }

  private countText(): string {
    const { rows, more, limit, columns } = this.info;
    const isFiltered = this.rows.view.filters.length > 0;
    const shown = isFiltered
      ? `${number(this.rows.count)} shown of ${number(rows)} fetched`
      : `${rowsText(rows)} fetched`;
    const cut = more && limit !== null ? ` · more exist (limit ${number(limit)})` : '';
    return `${shown}${cut} · ${number(columns.length)} column${columns.length === 1 ? '' : 's'}`;
  }

  private chip(filter: Filter): HTMLElement {
    const name = this.info.columns[filter.column]?.name ?? '';
    const values = filter.values.map(value => value ?? 'NULL').join(', ');
    const text = `${name} ${filter.op} ${values}`.trim();
    const remove = button(
      '×',
      () => {
        const filters = this.wished.filters.filter(each => each !== filter);
        this.look({ sort: this.wished.sort, filters }).catch((error: unknown) =>
          this.say(errorText(error), true)
        );
      },
      { label: `Remove the condition ${text}` }
    );
    return element('span', { className: 'tusk-chip', title: text }, element('span', {}, text), remove);
  }

  private extent(): Extent {
    return {
      rows: this.rows.count,
      columns: this.info.columns.length,
      page: Math.max(1, Math.floor(this.table.visibleRows()) - 1)
    };
  }

  private anchorOf(position: Position): DOMRect {
    const cell = this.table.cell({ row: -1, column: position.column }) ?? this.table.cell(position);
    return (cell ?? this.frame).getBoundingClientRect();
  }

  private say(text: string, isProblem = false): void {
    this.said.textContent = text;
    this.said.classList.toggle('tusk-problem', isProblem);
  }

  private showWaiting(isWaiting: boolean): void {
    const text = 'Waiting for the kernel: it runs something, or it is gone.';
    if (isWaiting) {
      this.say(text);
    } else if (this.said.textContent === text) {
      this.say('');
    }
  }

  private readonly info: GridInfo;
  private readonly kernel: Kernel;
  private readonly rows: Rows;
  private readonly table: Table;
  private readonly selection = new Selection();
  private readonly root = element('div', { className: 'tusk-grid' });
  private readonly frame = element('div', { className: 'tusk-frame' });
  private readonly counted = element('span', { className: 'tusk-counted' });
  private readonly chips = element('span', { className: 'tusk-chips', label: 'Conditions' });
  private readonly said = element('div', { className: 'tusk-said', attributes: { role: 'status' } });
  private isDragging = false;
  private wished: View = { sort: [], filters: [] };
}
