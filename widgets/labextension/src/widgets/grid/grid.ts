// One grid: the line above, the table, and what keys and the mouse do.
import { visible } from '../../visible';
import type { AnyModel } from '@anywidget/types';
import { keepKeys } from '../../keys';
import { hasEnded, linkProblem, type Link } from '../link';
import { openCell, type WholeCell } from './cellDialog';
import { copyText } from './clipboard';
import { openColumnMenu } from './columnMenu';
import { button, element, errorText, number, rowsText } from './dom';
import { openExport } from './exportDialog';
import { Kernel } from './kernel';
import { Rows } from './rows';
import { destination, Selection, type Extent } from './selection';
import { Table, type Position } from './table';
import type { Filter, GridInfo, GridState, Range, SortKey, View } from './types';

const MOST_ROWS_HIGH = 16;
const LEAST_ROWS_HIGH = 1;
let grids = 0;

export class Grid {
  constructor(
    model: AnyModel<GridState>,
    el: HTMLElement,
    signal: AbortSignal,
    private readonly link: Link
  ) {
    this.info = model.get('info');
    this.kernel = new Kernel(
      model,
      signal,
      link,
      isWaiting => this.showWaiting(isWaiting),
      words => this.end(words)
    );
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
      `tusk-grid-${(grids += 1)}-${Math.random().toString(36).slice(2, 8)}`,
      signal
    );
    this.build(el);
    this.listen(signal);
    this.mark();
    link.listen(() => this.follow(), signal);
    this.follow();
    this.lookAsBefore(model.get('view'));
  }

  /** A page that is loaded again shows the rows as they were sorted and filtered before. */
  private lookAsBefore(view: View): void {
    if (this.ended === null && view.sort.length + view.filters.length > 0) {
      this.look(view).catch((error: unknown) => this.say(errorText(error), true));
    }
  }

  private build(el: HTMLElement): void {
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
      this.exporting
    );
    const rowHeight = 22;
    const rows = Math.max(LEAST_ROWS_HIGH, Math.min(this.info.rows, MOST_ROWS_HIGH));
    this.frame.style.height = `${(rows + 2) * rowHeight + 16}px`;
    this.frame.append(this.table.host);
    this.root.append(toolbar, this.frame, this.kept, this.said);
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
      if (position !== null && !event.shiftKey) {
        event.preventDefault(); // of the menu key it is the same menu; with Shift it is the browser's own
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
    const isBody = position !== null && position.row >= 0;
    this.isDragging = isBody && event.button === 0;
    if (isBody && (event.button === 0 || event.button === 2)) {
      event.preventDefault(); // no selection of text over cells
      this.table.table.focus({ preventScroll: true });
      if (this.isDragging || !this.selection.has(position)) {
        this.selection.moveTo(position, event.shiftKey && this.isDragging);
        this.mark();
      }
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
    if (this.ended !== null) {
      const text = this.rows.text(position.row, position.column) ?? null;
      const cell = { text, characters: text?.length ?? 0, type: column.type };
      openCell(this.root, column, this.rows.placeOf(position.row), cell, said => this.say(said));
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
    if (this.ended !== null) {
      await this.copyKept(range, header);
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

  /** What is drawn is copied when the kernel cannot be asked for the values. */
  private async copyKept(range: Range, header: boolean): Promise<void> {
    const columns = this.info.columns.slice(range.left, range.right + 1);
    const lines = header ? [columns.map(column => quoted(column.name))] : [];
    for (let row = range.top; row <= range.bottom; row += 1) {
      lines.push(columns.map((_, place) => quoted(this.rows.text(row, range.left + place) ?? '')));
    }
    try {
      await copyText(Promise.resolve(lines.map(line => line.join('\t')).join('\n')));
      this.say(`Copied ${rowsText(range.bottom - range.top + 1)} as shown here; long values are cut.`);
    } catch (error) {
      this.say(errorText(error), true);
    }
  }

  /** Say how the kernel is; without one, what is here stays, and what needs one is off. */
  private follow(): void {
    if (hasEnded(this.link)) {
      this.end(linkProblem(this.link) ?? '');
    } else if (this.ended === null) {
      this.tellLink(linkProblem(this.link));
    }
  }

  private end(words: string): void {
    if (words === this.ended) {
      return; // what was said since stays
    }
    this.ended = words;
    this.matching ??= this.rows.count; // it ends twice: restarting, then restarted
    this.rows.freeze();
    this.selection.clamp(this.rows.count);
    this.exporting.disabled = true;
    this.exporting.title = words;
    this.root.classList.add('tusk-ended');
    this.root.querySelector('dialog')?.close();
    this.say('');
    const rows = `${rowsText(this.rows.count)} of ${number(this.info.rows)} stay readable here.`;
    this.tellLink(`${words} ${this.rows.count < this.info.rows ? rows : 'All rows stay readable here.'}`);
    this.mark();
    void this.table.draw();
  }

  private tellLink(words: string | null): void {
    this.kept.textContent = words ?? '';
    this.kept.hidden = words === null;
  }

  /** A click goes through ascending, descending, not at all; with Shift the other keys stay. */
  private sortBy(column: number, add: boolean): void {
    if (this.ended !== null) {
      this.say(`Rows cannot be sorted: ${this.ended}`, true);
      return;
    }
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
    if (this.ended !== null) {
      this.say(`Rows cannot be sorted or filtered: ${this.ended}`, true);
      return;
    }
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
    const { count } = this.rows;
    const shown = !isFiltered
      ? `${rowsText(rows)} fetched`
      : count < (this.matching ?? count)
        ? `${number(count)} of the ${rowsText(this.matching!)} that match are kept`
        : `${number(count)} shown of ${number(rows)} fetched`;
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
        this.table.table.focus({ preventScroll: true }); // the button goes, and the focus would fall out of the grid
        const filters = this.wished.filters.filter(each => each !== filter);
        this.look({ sort: this.wished.sort, filters }).catch((error: unknown) =>
          this.say(errorText(error), true)
        );
      },
      { label: `Remove the condition ${text}` }
    );
    if (this.ended !== null) {
      remove.disabled = true;
      remove.title = visible(`Rows cannot be filtered: ${this.ended}`);
    }
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
    this.said.textContent = visible(text);
    this.said.classList.toggle('tusk-problem', isProblem);
  }

  private showWaiting(isWaiting: boolean): void {
    const words = this.link.isBusy
      ? 'The kernel is running something, and answers after it.'
      : 'Waiting for the kernel.';
    if (isWaiting) {
      this.waiting = words;
      this.say(words);
    } else if (this.said.textContent === this.waiting) {
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
  private readonly kept = element('div', { className: 'tusk-kept', attributes: { role: 'status' } });
  private readonly exporting: HTMLButtonElement = button('Export…', () =>
    openExport(
      this.root,
      this.kernel,
      this.info,
      this.rows.view,
      this.rows.count,
      this.exporting.getBoundingClientRect()
    )
  );
  /** Why the kernel cannot be asked any more. */
  private ended: string | null = null;
  /** Rows of the view that it ended with; fewer are kept. */
  private matching: number | null = null;
  private waiting = '';
  private isDragging = false;
  private wished: View = { sort: [], filters: [] };
}

/** As spreadsheets do where a tab, a line end or a quote would be read as something else. */
function quoted(text: string): string {
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
