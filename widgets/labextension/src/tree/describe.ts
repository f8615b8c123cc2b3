/** A table's description beside the work: columns, indexes, comment. */
import { Widget } from '@lumino/widgets';

import { Api, describeError } from '../api';
import { h } from '../dom';
import { tableIcon, viewIcon } from '../icons';
import { keepFocus } from '../keys';
import { IColumnDescription, IIndexDescription, ITableDescription } from '../messages';
import { visible } from '../visible';
import { TreeItem } from './model';

export class TableView extends Widget {
  constructor(
    private readonly api: Api,
    private readonly item: TreeItem
  ) {
    super();
    this.addClass('tusk-Describe');
    this.node.tabIndex = 0;
    keepFocus(this.node);
    this.node.setAttribute('data-testid', 'tusk-describe');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', visible(`Description of ${item.path.join('.')}`));
    this.title.label = visible(item.name);
    this.title.caption = visible(`${item.connection}: ${item.path.join('.')}`);
    this.title.icon = item.kind === 'view' ? viewIcon : tableIcon;
    this.title.closable = true;
    void this.refresh();
  }

  async refresh(): Promise<void> {
    if (!this.node.hasChildNodes()) {
      this.node.replaceChildren(h('p', { class: 'tusk-Quiet' }, 'Loading…'));
    }
    try {
      this.draw(await this.api.describe(this.item.connection, this.item.path));
    } catch (error) {
      const { message, hint } = describeError(error);
      this.node.replaceChildren(
        h('div', { class: 'tusk-Error', attrs: { role: 'alert' } }, message, h('div', {}, hint))
      );
    }
  }

  private draw({ path, description, connection }: ITableDescription): void {
    const { kind, columns, indexes = [], comment } = description;
    this.node.replaceChildren(
      h('h2', {}, path.join('.')),
      h('p', { class: 'tusk-Quiet' }, `${kind} · ${connection} · ${columns.length} columns`),
      comment ? h('p', {}, comment) : '',
      table('Columns', ['', 'Name', 'Type', 'Null', 'Default', 'Comment'], columns.map(columnCells)),
      indexes.length > 0 ? table('Indexes', ['Name', 'Columns', 'Kind'], indexes.map(indexCells)) : ''
    );
  }
}

function columnCells(column: IColumnDescription): (Node | string)[] {
  const key = column.primary_key
    ? h('span', { class: 'tusk-Badge', title: 'Part of the primary key' }, 'PK')
    : '';
  return [
    key,
    column.name,
    column.type,
    column.nullable ? '' : 'NOT NULL',
    column.default ?? '',
    column.comment ?? ''
  ];
}

function indexCells(index: IIndexDescription): string[] {
  return [index.name, index.columns.join(', '), index.primary ? 'primary key' : index.unique ? 'unique' : ''];
}

function table(caption: string, heads: string[], rows: (Node | string)[][]): HTMLElement {
  return h(
    'table',
    { class: 'tusk-Table' },
    h('caption', {}, caption),
    h('thead', {}, h('tr', {}, ...heads.map(head => h('th', { attrs: { scope: 'col' } }, head)))),
    h('tbody', {}, ...rows.map(cells => h('tr', {}, ...cells.map(cell => h('td', {}, cell)))))
  );
}
