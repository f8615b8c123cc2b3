// What one column offers: sort, filter, statistics.
import { openDialog } from './dialog';
import { button, element, errorText, input, number, select } from './dom';
import type { Kernel } from './kernel';
import type { ColumnInfo, Filter, Operator, Statistics, View } from './types';

const OPERATORS: Record<ColumnInfo['kind'], readonly Operator[]> = {
  number: ['=', '!=', '<', '<=', '>', '>=', 'in', 'contains', 'is null', 'is not null'],
  time: ['=', '!=', '<', '<=', '>', '>=', 'in', 'contains', 'is null', 'is not null'],
  text: ['contains', 'not contains', '=', '!=', '<', '<=', '>', '>=', 'in', 'is null', 'is not null'],
  boolean: ['=', '!=', 'in', 'is null', 'is not null'],
  binary: ['=', '!=', 'contains', 'is null', 'is not null'],
  nested: ['contains', 'not contains', '=', 'is null', 'is not null']
};

const EXAMPLES: Record<ColumnInfo['kind'], string> = {
  number: '12.5',
  time: '2013-01-31',
  text: 'text',
  boolean: 'true or false',
  binary: 'deadbeef',
  nested: 'text'
};

const WHOLE_NUMBER = /^u?int\d+$|^decimal\d+\(\d+, 0\)$/;

function example({ kind, type }: ColumnInfo): string {
  return WHOLE_NUMBER.test(type) ? '12' : EXAMPLES[kind];
}

export interface ColumnMenu {
  root: HTMLElement;
  anchor: DOMRect;
  kernel: Kernel;
  column: number;
  info: ColumnInfo;
  view: View;
  /** Look at other rows; throws when the kernel refuses. */
  look: (view: View) => Promise<void>;
}

export function openColumnMenu(menu: ColumnMenu): void {
  const problem = element('div', { className: 'tusk-problem', attributes: { role: 'alert' } });
  const apply = async (view: View): Promise<void> => {
    try {
      problem.textContent = '';
      await menu.look(view);
      close();
    } catch (error) {
      problem.textContent = errorText(error);
    }
  };
  const statistics = element('div', { className: 'tusk-statistics', label: 'Statistics' }, 'Counting…');
  const filter = filterForm(menu, apply);
  const close = openDialog(
    menu.root,
    menu.info.name || '(no name)',
    'tusk-column-dialog',
    [
      element('div', { className: 'tusk-dim' }, menu.info.type),
      sortButtons(menu, apply),
      filter.form,
      problem,
      statistics
    ],
    menu.anchor
  );
  filter.form.querySelector('select')?.focus();
  void showStatistics(menu, statistics, filter.offer);
}

function sortButtons(menu: ColumnMenu, apply: (view: View) => Promise<void>): HTMLElement {
  const key = menu.view.sort.find(each => each.column === menu.column);
  const by = (descending: boolean | null, add: boolean): void => {
    const others = add ? menu.view.sort.filter(each => each.column !== menu.column) : [];
    const sort = descending === null ? others : [...others, { column: menu.column, descending }];
    void apply({ ...menu.view, sort });
  };
  const made = element('div', { className: 'tusk-menu-row' });
  made.append(
    button('↑ Sort ascending', event => by(false, event.shiftKey), {
      attributes: { 'aria-pressed': String(key !== undefined && !key.descending) },
      title: 'With Shift: after the keys that are there'
    }),
    button('↓ Sort descending', event => by(true, event.shiftKey), {
      attributes: { 'aria-pressed': String(key?.descending ?? false) },
      title: 'With Shift: after the keys that are there'
    })
  );
  if (key !== undefined) {
    made.append(button('Do not sort', () => by(null, true)));
  }
  return made;
}

interface FilterForm {
  form: HTMLElement;
  /** Show values that the column has, to choose from. */
  offer: (statistics: Statistics) => void;
}

function filterForm(menu: ColumnMenu, apply: (view: View) => Promise<void>): FilterForm {
  const present = menu.view.filters.find(each => each.column === menu.column);
  const operators = OPERATORS[menu.info.kind];
  const operator = select(
    'Condition',
    operators.map(each => [each, each === 'in' ? 'is one of' : each] as const),
    present?.op
  );
  const value = input('Value', present !== undefined && present.op !== 'in' ? (present.values[0] ?? '') : '');
  value.placeholder = example(menu.info);
  const values = element('div', { className: 'tusk-values', label: 'Values' });
  const chosen = new Set<string | null>(present?.op === 'in' ? present.values : []);
  const others = menu.view.filters.filter(each => each.column !== menu.column);
  const form = element('form', { className: 'tusk-menu-row tusk-filter', label: 'Filter' });
  const submit = element('button', { className: 'tusk-button' }, 'Filter');
  submit.type = 'submit';
  form.append(operator, value, submit);
  if (present !== undefined) {
    form.append(button('Clear', () => void apply({ ...menu.view, filters: others })));
  }
  form.append(values);
  const update = (): void => {
    const op = operator.value;
    value.hidden = op.endsWith('null') || op === 'in';
    values.hidden = op !== 'in';
  };
  operator.addEventListener('change', update);
  update();
  form.addEventListener('submit', event => {
    event.preventDefault();
    const op = operator.value as Operator;
    const given = op === 'in' ? [...chosen] : value.hidden ? [] : [value.value];
    const filter: Filter = { column: menu.column, op, values: given };
    void apply({ ...menu.view, filters: [...others, filter] });
  });
  return { form, offer: statistics => offerValues(values, statistics, chosen) };
}

function offerValues(values: HTMLElement, statistics: Statistics, chosen: Set<string | null>): void {
  const offered: [string | null, number][] = [...statistics.top];
  if (statistics.nulls > 0) {
    offered.push([null, statistics.nulls]);
  }
  for (const value of chosen) {
    if (!offered.some(([text]) => text === value)) {
      offered.push([value, 0]);
    }
  }
  const lines = offered.map(([text, count]) => {
    const box = element('input');
    box.type = 'checkbox';
    box.checked = chosen.has(text);
    box.addEventListener('change', () => {
      if (box.checked) {
        chosen.add(text);
      } else {
        chosen.delete(text);
      }
    });
    const name = element('span', { className: text === null ? 'tusk-null' : 'tusk-value' }, text ?? 'NULL');
    return element(
      'label',
      {},
      box,
      name,
      element('span', { className: 'tusk-dim' }, count ? number(count) : '')
    );
  });
  const rest = statistics.distinct - statistics.top.length;
  const note =
    rest > 0
      ? element('div', { className: 'tusk-dim' }, `the most frequent of ${number(statistics.distinct)}`)
      : null;
  values.replaceChildren(...lines, ...(note === null ? [] : [note]));
}

async function showStatistics(
  menu: ColumnMenu,
  place: HTMLElement,
  offer: (statistics: Statistics) => void
): Promise<void> {
  try {
    const others = menu.view.filters;
    const { content } = await menu.kernel.ask<{ statistics: Statistics }>({
      ask: 'statistics',
      column: menu.column,
      filters: others
    });
    drawStatistics(place, content.statistics, others.length > 0);
    const all = others.some(each => each.column === menu.column)
      ? (
          await menu.kernel.ask<{ statistics: Statistics }>({
            ask: 'statistics',
            column: menu.column,
            filters: others.filter(each => each.column !== menu.column)
          })
        ).content.statistics
      : content.statistics;
    offer(all); // with the values that the column's own condition hides
  } catch (error) {
    place.replaceChildren(element('div', { className: 'tusk-problem' }, errorText(error)));
  }
}

function drawStatistics(place: HTMLElement, statistics: Statistics, isFiltered: boolean): void {
  const share = statistics.rows === 0 ? 0 : (100 * statistics.nulls) / statistics.rows;
  const facts: [string, string][] = [
    [isFiltered ? 'rows (filtered)' : 'rows', number(statistics.rows)],
    ['NULL', `${number(statistics.nulls)} (${percent(share)})`],
    ['distinct', number(statistics.distinct)],
    ...statistics.facts
  ];
  const list = element('dl', {});
  for (const [name, value] of facts) {
    list.append(element('dt', {}, name), element('dd', {}, value));
  }
  place.replaceChildren(nullBar(share), list);
  if (statistics.bars.length > 0) {
    place.append(histogram(statistics));
  } else if ((statistics.top[0]?.[1] ?? 0) > 1) {
    place.append(topValues(statistics));
  }
}

function percent(share: number): string {
  return share > 0 && share < 0.1 ? '< 0.1 %' : `${share.toFixed(share === 0 || share === 100 ? 0 : 1)} %`;
}

function nullBar(share: number): HTMLElement {
  const label = `${percent(share)} of the rows are NULL`;
  const made = element('div', {
    className: 'tusk-null-bar',
    title: label,
    attributes: { role: 'img', 'aria-label': label }
  });
  const part = element('span');
  part.style.width = `${share}%`;
  made.append(part);
  return made;
}

function histogram(statistics: Statistics): HTMLElement {
  const most = Math.max(...statistics.bars.map(bar => bar.count));
  const first = statistics.bars[0]!;
  const last = statistics.bars[statistics.bars.length - 1]!;
  const bars = element('div', {
    className: 'tusk-histogram',
    attributes: { role: 'img', 'aria-label': `Histogram from ${first.low} to ${last.high}` }
  });
  for (const bar of statistics.bars) {
    const made = element('span', { title: `${bar.low} – ${bar.high}: ${number(bar.count)}` });
    made.style.height = `${bar.count === 0 ? 0 : Math.max(3, (100 * bar.count) / most)}%`;
    bars.append(made);
  }
  return element(
    'div',
    {},
    bars,
    element(
      'div',
      { className: 'tusk-histogram-ends tusk-dim' },
      element('span', {}, first.low),
      element('span', {}, last.high)
    )
  );
}

function topValues(statistics: Statistics): HTMLElement {
  const most = statistics.top[0]![1];
  const made = element('div', { className: 'tusk-top', label: 'Most frequent values' });
  for (const [text, count] of statistics.top) {
    const bar = element('span', { className: 'tusk-top-bar' });
    bar.style.width = `${(100 * count) / most}%`;
    made.append(
      element('span', { className: 'tusk-value', title: text }, text === '' ? '(empty)' : text),
      element('span', { className: 'tusk-top-track' }, bar),
      element('span', { className: 'tusk-dim' }, number(count))
    );
  }
  return made;
}
