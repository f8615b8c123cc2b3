/** The list of ended runs: only the rows in sight are elements, however long the log is. */
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { describeError } from '../api';
import { h } from '../dom';
import { ILogEntry } from '../messages';
import { count, duration, oneLine, place, when } from './format';
import { LogModel } from './model';
import { statusIcon } from './status';

const ROW_PX = 24;
const OVERSCAN = 12;
const HEADS = ['Time', '', 'Duration', 'Rows', 'Connection', 'Notebook', 'SQL'];
const HEAD_NAMES = ['Time', 'Status', 'Duration', 'Rows', 'Connection', 'Notebook and cell', 'SQL'];

export class LogList extends Widget {
  constructor(private readonly model: LogModel) {
    super();
    this.addClass('tusk-LogList');
    this.scroller.append(this.head(), this.canvas);
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
    this.draw();
    if (run) {
      this._selected.emit(run);
    }
  }

  handleEvent(event: Event): void {
    if (event.type === 'scroll') {
      this.draw();
    } else if (event.type === 'mousedown') {
      const row = (event.target as Element).closest<HTMLElement>('[data-run]');
      if (row) {
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

  protected onResize(): void {
    this.draw();
  }

  protected onAfterShow(): void {
    this.draw();
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.scroller.focus();
  }

  private onChanged(added: number | null): void {
    if (added === null) {
      this.scroller.scrollTop = 0;
    } else if (this.scroller.scrollTop > 0) {
      this.scroller.scrollTop += added * ROW_PX;
    }
    this.draw();
  }

  private draw(): void {
    const { entries, hasMore, total, error, loading } = this.model;
    const height = this.scroller.clientHeight;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW_PX) - OVERSCAN);
    const last = Math.min(entries.length, Math.ceil((this.scroller.scrollTop + height) / ROW_PX) + OVERSCAN);
    this.canvas.style.height = `${(entries.length + (hasMore ? 1 : 0)) * ROW_PX}px`;
    this.scroller.setAttribute('aria-rowcount', String((total ?? -1) < 0 ? -1 : total! + 1));
    this.canvas.replaceChildren(
      ...entries.slice(first, last).map((entry, index) => this.row(entry, first + index))
    );
    const active = this.canvas.querySelector('[aria-selected="true"]');
    if (active) {
      this.scroller.setAttribute('aria-activedescendant', active.id);
    } else {
      this.scroller.removeAttribute('aria-activedescendant');
    }
    this.explain(entries.length === 0, loading, error);
    if (hasMore && last > entries.length - 2 * OVERSCAN) {
      void this.model.more();
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

  private head(): HTMLElement {
    const cells = HEADS.map((text, index) =>
      h('div', { attrs: { role: 'columnheader', 'aria-label': HEAD_NAMES[index] } }, text)
    );
    return h(
      'div',
      { class: 'tusk-LogRow tusk-LogList-head', attrs: { role: 'row', 'aria-rowindex': 1 } },
      ...cells
    );
  }

  private row(entry: ILogEntry, index: number): HTMLElement {
    const cells = [
      when(entry.started_at),
      statusIcon(entry.status),
      duration(entry.elapsed_ms),
      count(entry.affected || entry.rows),
      entry.connection,
      place(entry.source, entry.cell),
      oneLine(entry.sql)
    ];
    const row = h(
      'div',
      {
        class: 'tusk-LogRow',
        attrs: {
          role: 'row',
          id: `tusk-log-${entry.run}`,
          'aria-rowindex': index + 2,
          'aria-selected': entry.run === this.run,
          'data-run': entry.run,
          'data-status': entry.status
        }
      },
      ...cells.map(cell => h('div', { attrs: { role: 'gridcell' } }, cell))
    );
    row.style.top = `${index * ROW_PX}px`;
    return row;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW_PX) - 2);
    const at = this.model.entries.findIndex(entry => entry.run === this.run);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.model.entries.length - 1
    };
    const to = steps[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.moveTo(Math.max(0, Math.min(to, this.model.entries.length - 1)));
    }
  }

  private moveTo(index: number): void {
    const entry = this.model.entries[index];
    if (entry) {
      const top = index * ROW_PX;
      const { scrollTop, clientHeight } = this.scroller;
      const visible = clientHeight - ROW_PX;
      this.scroller.scrollTop = top < scrollTop ? top : Math.max(scrollTop, top + ROW_PX - visible);
      this.select(entry.run);
    }
  }

  private readonly canvas = h('div', { class: 'tusk-LogList-canvas', attrs: { role: 'rowgroup' } });
  private readonly empty = h('div', { class: 'tusk-LogList-empty' });
  private readonly scroller = h('div', {
    class: 'tusk-LogList-scroller',
    attrs: {
      role: 'grid',
      tabindex: 0,
      'aria-label': 'Query log',
      'aria-colcount': HEADS.length,
      'data-testid': 'tusk-log-list'
    }
  });
  private run: string | null = null;
  private _selected = new Signal<this, string>(this);
}
