/** The filters above the log. */
import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { ILogFilter } from '../api';
import { Connections } from '../connections';
import { h } from '../dom';
import { STATUSES } from './status';

const TYPING_PAUSE_MS = 250;
const HOUR_MS = 3_600_000;

type Options = readonly (readonly [value: string, label: string])[];

const DATES: Options = [
  ['', 'Any time'],
  ['hour', 'Last hour'],
  ['today', 'Today'],
  ['week', 'Last 7 days'],
  ['month', 'Last 30 days'],
  ['range', 'From … to …']
];
const DURATIONS: Options = [
  ['', 'Any duration'],
  ['100', 'Over 100 ms'],
  ['1000', 'Over 1 s'],
  ['10000', 'Over 10 s'],
  ['60000', 'Over 1 min']
];

export class LogFilters extends Widget {
  constructor(
    private readonly connections: Connections,
    private hidesTools = true
  ) {
    super();
    this.toolsHidden.checked = hidesTools;
    this.addClass('tusk-Filters');
    this.node.setAttribute('role', 'search');
    this.node.setAttribute('aria-label', 'Filters of the query log');
    this.node.append(
      this.text,
      this.more,
      this.date,
      this.range,
      this.status,
      this.connection,
      this.source,
      this.sources,
      this.duration,
      h(
        'label',
        { class: 'tusk-Filters-check', title: 'Runs that the product asked for itself, as for a plan' },
        this.toolsHidden,
        'Hide what tools ran'
      ),
      this.reset
    );
    const typed = new Debouncer(() => this.emit(), TYPING_PAUSE_MS);
    this.node.addEventListener('input', event => {
      const isText = event.target === this.text || event.target === this.source;
      void (isText ? typed.invoke() : this.emit());
    });
    this.reset.addEventListener('click', () => this.clear());
    connections.changed.connect(() => this.offerConnections());
    this.offerConnections();
    this.showState();
  }

  get changed(): ISignal<this, ILogFilter> {
    return this._changed;
  }

  get filter(): ILogFilter {
    const { since, until } = this.times();
    return {
      text: this.text.value.trim() || undefined,
      status: this.status.value || undefined,
      connection: this.connection.value || undefined,
      source: this.source.value.trim() || undefined,
      min_ms: this.duration.value ? Number(this.duration.value) : undefined,
      since,
      until,
      tools: !this.toolsHidden.checked
    };
  }

  /** Offer the notebooks that were seen, for a filter by one of them. */
  offerSources(sources: Iterable<string>): void {
    this.sources.replaceChildren(
      ...[...new Set(sources)].sort().map(source => h('option', { attrs: { value: source } }))
    );
  }

  focusText(): void {
    this.text.focus();
  }

  private emit(): void {
    this.showState();
    this._changed.emit(this.filter);
  }

  /** As the setting has it, now and after a reset. */
  hideTools(isHidden: boolean): void {
    if (isHidden !== this.hidesTools) {
      this.hidesTools = this.toolsHidden.checked = isHidden;
      this.emit();
    }
  }

  private clear(): void {
    for (const field of [
      this.text,
      this.source,
      this.from,
      this.to,
      this.date,
      this.status,
      this.connection,
      this.duration
    ]) {
      field.value = '';
    }
    this.toolsHidden.checked = this.hidesTools;
    this.emit();
    this.text.focus();
  }

  private showState(): void {
    this.range.hidden = this.date.value !== 'range';
    const { tools, ...others } = this.filter;
    const given = Object.values(others).filter(value => value !== undefined).length;
    this.reset.disabled = tools !== this.hidesTools && given === 0;
    const folded = given - (others.text === undefined ? 0 : 1);
    this.more.textContent = `Filters${folded > 0 ? ` (${folded})` : ''}…`;
  }

  private times(): { since?: string; until?: string } {
    const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();
    switch (this.date.value) {
      case 'hour':
        return { since: ago(1) };
      case 'today':
        return { since: new Date(new Date().setHours(0, 0, 0, 0)).toISOString() };
      case 'week':
        return { since: ago(7 * 24) };
      case 'month':
        return { since: ago(30 * 24) };
      case 'range':
        return { since: iso(this.from.value), until: iso(this.to.value) };
    }
    return {};
  }

  private offerConnections(): void {
    const chosen = this.connection.value;
    const names = this.connections.all.map(({ name }) => name);
    const options = [...new Set([...names, ...(chosen ? [chosen] : [])])].map(name => [name, name] as const);
    this.connection.replaceChildren(...optionsOf([['', 'All connections'], ...options]));
    this.connection.value = chosen;
  }

  private readonly text = field('search', 'Search the SQL', 'tusk-log-text');
  private readonly sources = h('datalist', { attrs: { id: 'tusk-log-sources' } });
  private readonly source = field('text', 'Notebook', 'tusk-log-source', this.sources.id);
  private readonly from = field('datetime-local', 'From', 'tusk-log-from');
  private readonly to = field('datetime-local', 'To', 'tusk-log-to');
  private readonly range = h('span', { class: 'tusk-Filters-range' }, this.from, '–', this.to);
  private readonly date = choice('Date', 'tusk-log-date', DATES);
  private readonly status = choice('Status', 'tusk-log-status', [
    ['', 'Any status'],
    ...STATUSES.map(status => [status, status[0]!.toUpperCase() + status.slice(1)] as const)
  ]);
  private readonly connection = choice('Connection', 'tusk-log-connection', []);
  private readonly duration = choice('Duration', 'tusk-log-duration', DURATIONS);
  private readonly toolsHidden = h('input', {
    attrs: { type: 'checkbox', checked: true, 'data-testid': 'tusk-log-tools' }
  });
  /** Narrow panels show the others on request. */
  private readonly more = h(
    'button',
    {
      class: 'tusk-Link tusk-Filters-more',
      title: 'Show or hide the other filters',
      attrs: { type: 'button', 'aria-expanded': false },
      on: {
        click: () =>
          this.more.setAttribute('aria-expanded', String(this.node.classList.toggle('tusk-mod-open')))
      }
    },
    'Filters…'
  );
  private readonly reset = h('button', { class: 'tusk-Link', attrs: { type: 'button' } }, 'Clear filters');
  private _changed = new Signal<this, ILogFilter>(this);
}

function iso(local: string): string | undefined {
  return local ? new Date(local).toISOString() : undefined;
}

function field(type: string, label: string, testid: string, list?: string): HTMLInputElement {
  const attrs = {
    type,
    placeholder: label,
    'aria-label': label,
    'data-testid': testid,
    list,
    spellcheck: false
  };
  return h('input', { class: 'jp-mod-styled', attrs });
}

function optionsOf(options: Options): HTMLOptionElement[] {
  return options.map(([value, label]) => h('option', { attrs: { value } }, label));
}

function choice(label: string, testid: string, options: Options): HTMLSelectElement {
  return h(
    'select',
    { class: 'jp-mod-styled', attrs: { 'aria-label': label, 'data-testid': testid } },
    ...optionsOf(options)
  );
}
