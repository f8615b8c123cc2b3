/** The list of ended runs: only the rows in sight are elements, however long the log is. */
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { describeError, ILogOrder } from '../api';
import { h, setChildren } from '../dom';
import { Held } from '../held';
import { ILogEntry } from '../messages';
import { originLink } from '../origin';
import { count, duration, oneLine, place, short, when } from './format';
import { LogModel } from './model';
import { statusIcon } from './status';

const OVERSCAN = 12;
/** A narrow list has two lines a row, and a tiny one three, as style/log.css has them at the same widths. */
const NARROW_PX = 720;
const TINY_PX = 330;
const ROW_PX = { wide: 24, narrow: 42, tiny: 60 };

interface IColumn {
  key: string;
  label: string;
  name?: string;
  /** What a click on its head sorts by, and whether it begins with the smallest. */
  order?: ILogOrder['order'];
  ascending?: boolean;
}

const COLUMNS: readonly IColumn[] = [
  { key: 'time', label: 'Time', order: 'started' },
  { key: 'status', label: '', name: 'Status', order: 'status', ascending: true },
  { key: 'duration', label: 'Duration', order: 'duration' },
  { key: 'rows', label: 'Rows', order: 'rows' },
  { key: 'connection', label: 'Connection', order: 'connection', ascending: true },
  { key: 'sql', label: 'SQL' },
  { key: 'origin', label: 'Notebook', name: 'Notebook and cell' }
];

export class LogList extends Widget {
  constructor(
    private readonly model: LogModel,
    private readonly goTo: (source: string, cell: string | null) => void
  ) {
    super();
    this.addClass('tusk-LogList');
    this.entries = model.entries;
    this.scroller.append(this.head, this.canvas);
    this.drawHead();
    this.node.append(this.scroller, this.empty);
    model.changed.connect((_, added) => this.onChanged(added));
  }

  /** Emits the run that a user looks at; looking is all that it does. */
  get selected(): ISignal<this, string> {
    return this._selected;
  }

  get selection(): string | null {
    return this.run;
  }

  select(run: string | null): void {
    this.run = run;
    this.markSelected();
    if (run) {
      this._selected.emit(run);
    }
  }

  handleEvent(event: Event): void {
    if (event.type === 'scroll') {
      this.draw();
    } else if (event.type === 'mousedown') {
      const row = (event.target as Element).closest<HTMLElement>('[data-run]');
      if (row && !(event.target as Element).closest('button')) {
        this.select(row.dataset.run!);
      }
    } else {
      this.onKey(event as KeyboardEvent);
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.scroller.addEventListener('scroll', this, { passive: true });
    this.scroller.addEventListener('mousedown', this);
    this.scroller.addEventListener('keydown', this);
    this.draw();
  }

  protected onBeforeDetach(message: Message): void {
    this.scroller.removeEventListener('scroll', this);
    this.scroller.removeEventListener('mousedown', this);
    this.scroller.removeEventListener('keydown', this);
    super.onBeforeDetach(message);
  }

  /** The details that a press opens take room of the list. */
  protected onResize(): void {
    this.held.draw(() => this.take());
  }

  protected onAfterShow(): void {
    this.draw();
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.scroller.focus();
  }

  private onChanged(added: number | null): void {
    this.added = added === null || this.added === null ? null : this.added + added;
    this.held.draw(() => this.take());
  }

  /** Show what the model has now, with the row that was on top still there, unless it is another list. */
  private take(): void {
    this.entries = this.model.entries;
    if (this.added === null) {
      this.scroller.scrollTop = 0;
    } else if (this.scroller.scrollTop > 0) {
      this.scroller.scrollTop += this.added * this.rowPx;
    }
    this.added = 0;
    this.draw();
  }

  private draw(): void {
    const { entries } = this;
    const { hasMore, total, error, loading } = this.model;
    const { rowPx } = this;
    const height = this.scroller.clientHeight;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / rowPx) - OVERSCAN);
    const last = Math.min(entries.length, Math.ceil((this.scroller.scrollTop + height) / rowPx) + OVERSCAN);
    this.canvas.style.height = `${(entries.length + (hasMore ? 1 : 0)) * rowPx}px`;
    this.scroller.setAttribute('aria-rowcount', String((total ?? -1) < 0 ? -1 : total! + 1));
    const before = this.rows;
    this.rows = new Map();
    for (const [place, entry] of entries.slice(first, last).entries()) {
      const shown = JSON.stringify([when(entry.started_at), entry]);
      const row = before.get(shown) ?? this.row(entry);
      row.setAttribute('aria-rowindex', String(first + place + 2));
      row.style.top = `${(first + place) * rowPx}px`;
      this.rows.set(shown, row);
    }
    setChildren(this.canvas, [...this.rows.values()]);
    this.markSelected();
    this.explain(entries.length === 0, loading, error);
    if (hasMore && last > entries.length - 2 * OVERSCAN) {
      void this.model.more();
    }
  }

  private markSelected(): void {
    this.scroller.removeAttribute('aria-activedescendant');
    for (const row of this.canvas.querySelectorAll<HTMLElement>('[data-run]')) {
      const isSelected = row.dataset.run === this.run;
      row.setAttribute('aria-selected', String(isSelected));
      if (isSelected) {
        this.scroller.setAttribute('aria-activedescendant', row.id);
      }
    }
  }

  private explain(isEmpty: boolean, loading: boolean, error: unknown): void {
    this.empty.hidden = !isEmpty && !error;
    if (error) {
      const { message, hint } = describeError(error);
      this.empty.replaceChildren(
        h('div', { class: 'tusk-Error', attrs: { role: 'alert' } }, message, h('div', {}, hint))
      );
    } else {
      this.empty.replaceChildren(
        h(
          'p',
          { class: 'tusk-Quiet' },
          loading ? 'Loading…' : 'No run in the log matches. Try it with fewer filters.'
        )
      );
    }
  }

  private get rowPx(): number {
    const { clientWidth } = this.node;
    return clientWidth < TINY_PX ? ROW_PX.tiny : clientWidth < NARROW_PX ? ROW_PX.narrow : ROW_PX.wide;
  }

  private drawHead(): void {
    const { sort } = this.model;
    const cells = COLUMNS.map(({ key, label, name = label, order, ascending }) => {
      const isSorted = order === sort.order;
      const sorted = isSorted ? (sort.ascending ? 'ascending' : 'descending') : order ? 'none' : null;
      const attrs = { role: 'columnheader', 'aria-label': name, 'aria-sort': sorted };
      const sign = isSorted ? (sort.ascending ? '▲' : '▼') : '';
      return h(
        'div',
        { class: `tusk-LogRow-${key}`, attrs },
        order ? this.sorter(order, name, label, sign, ascending) : label
      );
    });
    this.head.replaceChildren(...cells);
  }

  private sorter(
    order: ILogOrder['order'],
    name: string,
    label: string,
    sign: string,
    ascending = false
  ): HTMLElement {
    const sort = () => {
      const { sort } = this.model;
      const next = sort.order === order ? !sort.ascending : ascending;
      void this.model.setSort({ order, ascending: next });
      this.drawHead();
      this.head.querySelector<HTMLElement>(`[data-order="${order}"]`)?.focus();
    };
    const attrs = { type: 'button', 'aria-label': `Sort by ${name.toLowerCase()}`, 'data-order': order };
    return h(
      'button',
      { class: 'tusk-LogList-sort', title: `Sort by ${name.toLowerCase()}`, attrs, on: { click: sort } },
      label || (sign ? '' : '↕'),
      sign && h('span', { attrs: { 'aria-hidden': true } }, sign)
    );
  }

  private row(entry: ILogEntry): HTMLElement {
    const rows = entry.affected || entry.rows;
    const { source, cell } = entry;
    const cells: Record<string, [Node | string, string?]> = {
      time: [when(entry.started_at), new Date(entry.started_at).toLocaleString()],
      status: [statusIcon(entry.status)],
      duration: [duration(entry.elapsed_ms)],
      rows: [short(rows), count(rows)],
      connection: [entry.connection, entry.connection],
      origin: [originLink(place(source, cell), source, cell, () => this.goTo(source, cell))],
      sql: [oneLine(entry.sql)]
    };
    return h(
      'div',
      {
        class: 'tusk-LogRow',
        attrs: {
          role: 'row',
          id: `tusk-log-${entry.run}`,
          'data-run': entry.run,
          'data-status': entry.status
        }
      },
      ...COLUMNS.map(({ key }) =>
        h(
          'div',
          { class: `tusk-LogRow-${key}`, title: cells[key]![1], attrs: { role: 'gridcell' } },
          cells[key]![0]
        )
      )
    );
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowPx) - 2);
    const at = this.entries.findIndex(entry => entry.run === this.run);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.entries.length - 1
    };
    const to = steps[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.moveTo(Math.max(0, Math.min(to, this.entries.length - 1)));
    }
  }

  private moveTo(index: number): void {
    const entry = this.entries[index];
    if (entry) {
      const top = index * this.rowPx;
      const { scrollTop, clientHeight } = this.scroller;
      const visible = clientHeight - this.head.offsetHeight;
      this.scroller.scrollTop = top < scrollTop ? top : Math.max(scrollTop, top + this.rowPx - visible);
      this.select(entry.run);
    }
  }

  private readonly head = h('div', {
    class: 'tusk-LogRow tusk-LogList-head',
    attrs: { role: 'row', 'aria-rowindex': 1 }
  });
  private readonly canvas = h('div', { class: 'tusk-LogList-canvas', attrs: { role: 'rowgroup' } });
  private readonly empty = h('div', { class: 'tusk-LogList-empty' });
  private readonly scroller = h('div', {
    class: 'tusk-LogList-scroller',
    attrs: {
      role: 'grid',
      tabindex: 0,
      'aria-label': 'Query log',
      'aria-colcount': COLUMNS.length,
      'data-testid': 'tusk-log-list'
    }
  });
  private readonly held = new Held(this.canvas);
  /** What is shown: the model's entries, as they were when the pointer was pressed. */
  private entries: readonly ILogEntry[];
  /** How many came on top since, or null when it is another list. */
  private added: number | null = 0;
  /** The rows in sight, by all that they show: one that shows the same stays, with the text that is selected in it. */
  private rows = new Map<string, HTMLElement>();
  private run: string | null = null;
  private _selected = new Signal<this, string>(this);
}
