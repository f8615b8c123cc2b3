/** The tree as elements: ARIA tree, one tab stop, arrows, typing ahead. */
import { caretRightIcon, LabIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { describeError } from '../api';
import { h } from '../dom';
import { Held } from '../held';
import {
  catalogIcon,
  columnIcon,
  connectionIcon,
  primaryKeyIcon,
  schemaIcon,
  tableIcon,
  viewIcon
} from '../icons';
import { reveal } from '../reveal';
import { IConnection } from '../messages';
import { NodeKind, TreeItem, TreeModel } from './model';
import { ISessions, sessionsOf } from './sessions';

/** Children that are drawn at once; the rest on request, so that no schema freezes the window. */
const CHUNK = 500;
const ICONS: Record<NodeKind, LabIcon> = {
  connection: connectionIcon,
  catalog: catalogIcon,
  schema: schemaIcon,
  table: tableIcon,
  view: viewIcon,
  column: columnIcon
};

export class TreeView extends Widget {
  constructor(private readonly model: TreeModel) {
    super();
    this.addClass('tusk-Tree');
    this.node.append(this.list);
    model.changed.connect((_, item) => this.renderLater(item));
    this.renderAll();
  }

  /** Emits an item on Enter or a double click on a table. */
  get activated(): ISignal<this, TreeItem> {
    return this._activated;
  }

  get active(): TreeItem | null {
    return this._active;
  }

  /** Show these items in place of the model's; null: the model's again. */
  showFound(found: TreeItem[] | null): void {
    this.found = found;
    this.renderAll();
    this.node.scrollTop = 0;
  }

  /** What stands where no connection does. */
  setPlaceholder(...content: Node[]): void {
    this.placeholder = content;
    this.renderAll();
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case 'keydown':
        this.onKey(event as KeyboardEvent);
        break;
      case 'dblclick':
        this.onDoubleClick(event);
        break;
      case 'focusin':
      case 'mousedown':
        this.setActive(this.itemAt(event.target), false);
        break;
      case 'click':
        this.onClick(event as MouseEvent);
        break;
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    EVENTS.forEach(type => this.node.addEventListener(type, this));
  }

  protected onBeforeDetach(message: Message): void {
    EVENTS.forEach(type => this.node.removeEventListener(type, this));
    super.onBeforeDetach(message);
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    (this.list.querySelector<HTMLElement>('[tabindex="0"]') ?? this.node).focus();
  }

  private get roots(): TreeItem[] {
    return this.found ?? this.model.roots;
  }

  /** Render one item, or all of them for null; once the pointer is released. */
  private renderLater(changed: TreeItem | null): void {
    this.changed.add(changed);
    this.held.draw(() => {
      const items = [...this.changed];
      this.changed.clear();
      if (items.includes(null)) {
        this.renderAll();
      } else {
        items.forEach(item => this.renderItem(item!));
      }
    });
  }

  private renderAll(): void {
    const focused = this.list.contains(document.activeElement);
    this.items.clear();
    this.list.replaceChildren(
      ...this.roots.map((item, index) => this.row(item, 1, index, this.roots.length))
    );
    const isEmpty = this.roots.length === 0;
    this.list.hidden = isEmpty;
    this.node.replaceChildren(this.list, ...(isEmpty ? this.placeholder : []));
    this.setActive(this.shown(this._active?.key) ?? this.roots[0] ?? null, focused);
  }

  private renderItem(item: TreeItem): void {
    const row = this.rowOf(item);
    if (!row) {
      return;
    }
    const focused = row.contains(document.activeElement);
    const level = Number(row.getAttribute('aria-level'));
    const index = Number(row.getAttribute('aria-posinset')) - 1;
    row.replaceWith(this.row(item, level, index, Number(row.getAttribute('aria-setsize'))));
    if (this._active && !this.rowOf(this._active)) {
      this._active = this.shown(this._active.key) ?? item;
    }
    this.setActive(this._active, focused);
  }

  private row(item: TreeItem, level: number, index: number, size: number): HTMLElement {
    const row = h('li', {
      class: 'tusk-TreeItem',
      attrs: {
        role: 'treeitem',
        tabindex: -1,
        'aria-level': level,
        'aria-posinset': index + 1,
        'aria-setsize': size,
        'aria-selected': false,
        'aria-expanded': item.isLeaf ? null : item.expanded,
        'aria-busy': item.status === 'loading' ? true : null,
        'aria-label': this.label(item),
        'data-kind': item.kind,
        'data-name': item.name
      }
    });
    row.style.setProperty('--tusk-level', String(level - 1));
    this.items.set(row, item);
    row.append(this.line(item));
    if (item.expanded) {
      row.append(this.group(item, level + 1));
    }
    return row;
  }

  private line(item: TreeItem): HTMLElement {
    const icon = item.info?.primary_key ? primaryKeyIcon : ICONS[item.kind];
    const line = h('div', { class: 'tusk-TreeItem-line', title: this.tooltip(item) });
    line.append(
      h(
        'span',
        { class: 'tusk-TreeItem-caret' },
        item.isLeaf ? null : caretRightIcon.element({ tag: 'span' })
      ),
      icon.element({ tag: 'span', className: 'tusk-TreeItem-icon' }),
      h('span', { class: 'tusk-TreeItem-name' }, item.name)
    );
    const connection = item.kind === 'connection' ? this.model.connectionOf(item) : undefined;
    if (connection) {
      const sessions = this.sessions(item, connection);
      line.append(
        connection.read_only ? h('span', { class: 'tusk-Badge' }, 'read-only') : '',
        connection.environment
          ? h(
              'span',
              { class: 'tusk-Badge', attrs: { 'data-environment': connection.environment } },
              connection.environment
            )
          : '',
        h('span', { class: 'tusk-TreeItem-more' }, connection.driver),
        h('span', { class: 'tusk-Dot', title: sessions.words, attrs: { 'data-state': sessions.state } })
      );
    } else if (item.info?.type) {
      line.append(h('span', { class: 'tusk-TreeItem-more' }, item.info.type));
    }
    return line;
  }

  private group(item: TreeItem, level: number): HTMLElement {
    const group = h('ul', { attrs: { role: 'group' } });
    if (item.status === 'loading' && item.children.length === 0) {
      group.append(note(level, 'Loading…', 'loading'));
    } else if (item.status === 'failed') {
      const { message, hint } = describeError(item.error);
      group.append(note(level, message, 'error', hint));
    } else if (item.children.length === 0) {
      group.append(note(level, 'Nothing here', 'empty'));
    } else {
      this.addChunk(group, item, level, 0);
    }
    return group;
  }

  private addChunk(group: HTMLElement, item: TreeItem, level: number, from: number): void {
    const { children } = item;
    const to = Math.min(from + CHUNK, children.length);
    group.append(
      ...children.slice(from, to).map((child, index) => this.row(child, level, from + index, children.length))
    );
    if (to < children.length) {
      const more = note(level, '', 'more');
      const show = h('button', { class: 'tusk-Link' }, `Show more of ${children.length.toLocaleString()}`);
      show.addEventListener('click', event => {
        event.stopPropagation();
        more.remove();
        this.addChunk(group, item, level, to);
      });
      more.append(show);
      group.append(more);
    }
  }

  private sessions(item: TreeItem, connection: IConnection): ISessions {
    const seen = this.model.roots.find(root => root.name === item.name)?.status ?? 'new';
    return sessionsOf(seen, connection);
  }

  private label(item: TreeItem): string {
    const connection = item.kind === 'connection' ? this.model.connectionOf(item) : undefined;
    const words = connection
      ? [
          connection.driver,
          connection.environment,
          connection.read_only && 'read-only',
          this.sessions(item, connection).words
        ]
      : [
          item.info?.type,
          item.info?.primary_key && 'primary key',
          item.info?.nullable === false && 'not null'
        ];
    return [`${item.name}, ${item.kind}`, ...words.filter(Boolean)].join(', ');
  }

  private tooltip(item: TreeItem): string {
    const connection = item.kind === 'connection' ? this.model.connectionOf(item) : undefined;
    if (connection) {
      return [
        `${connection.name} (${connection.driver}), ${this.sessions(item, connection).words}`,
        [connection.environment, connection.read_only && 'read-only'].filter(Boolean).join(', '),
        connection.target
      ]
        .filter(Boolean)
        .join('\n');
    }
    const words = [
      item.info?.type,
      item.info?.primary_key && 'PRIMARY KEY',
      item.info?.nullable === false && !item.info.primary_key && 'NOT NULL'
    ];
    return [item.path.join('.'), words.filter(Boolean).join(' ')].filter(Boolean).join('\n');
  }

  // --- which item is meant -------------------------------------------------------------------------------------------

  private setActive(item: TreeItem | null, focus: boolean): void {
    const row = item && this.rowOf(item);
    for (const old of this.list.querySelectorAll('[tabindex="0"], [aria-selected="true"]')) {
      old.setAttribute('tabindex', '-1');
      old.setAttribute('aria-selected', 'false');
    }
    if (item && row) {
      this._active = item;
      row.setAttribute('tabindex', '0');
      row.setAttribute('aria-selected', 'true');
      if (focus) {
        row.focus({ preventScroll: true });
      }
    }
  }

  /** Go to an item by a key; only then the tree scrolls. */
  private goTo(item: TreeItem): void {
    this.setActive(item, true);
    const line = this.rowOf(item)?.firstElementChild;
    if (line) {
      reveal(line, this.node);
    }
  }

  private itemAt(target: EventTarget | null): TreeItem | null {
    const row = target instanceof Element ? target.closest<HTMLElement>('.tusk-TreeItem') : null;
    return (row && this.items.get(row)) ?? this._active;
  }

  private rowOf(item: TreeItem): HTMLElement | null {
    return this.rows().find(row => this.items.get(row) === item) ?? null;
  }

  private shown(key: string | undefined): TreeItem | undefined {
    return this.rows()
      .map(row => this.items.get(row)!)
      .find(item => item.key === key);
  }

  private rows(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>('.tusk-TreeItem')];
  }

  // --- what a user does ----------------------------------------------------------------------------------------------

  private onClick(event: MouseEvent): void {
    const item = this.itemAt(event.target);
    if (!item || event.detail > 1 || !(event.target as Element).closest('.tusk-TreeItem-line')) {
      return;
    }
    this.setActive(item, true);
    this.toggle(item);
  }

  private onDoubleClick(event: Event): void {
    const item = this.itemAt(event.target);
    if (item?.isTable && (event.target as Element).closest('.tusk-TreeItem-line')) {
      this._activated.emit(item);
    }
  }

  private toggle(item: TreeItem): void {
    if (item.expanded) {
      this.model.collapse(item);
    } else {
      this.model.expand(item);
    }
  }

  private onKey(event: KeyboardEvent): void {
    const item = this._active;
    if (!item || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const action = this.keyAction(event, item);
    if (action) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }
  }

  private keyAction(event: KeyboardEvent, item: TreeItem): (() => void) | null {
    const rows = this.rows();
    const at = rows.findIndex(row => this.items.get(row) === item);
    const go = (to: number) => () => this.goTo(this.items.get(rows[to] ?? rows[at]!) ?? item);
    switch (event.key) {
      case 'ArrowDown':
        return go(Math.min(at + 1, rows.length - 1));
      case 'ArrowUp':
        return go(Math.max(at - 1, 0));
      case 'Home':
        return go(0);
      case 'End':
        return go(rows.length - 1);
      case 'ArrowRight':
        return item.expanded || item.isLeaf
          ? go(Math.min(at + 1, rows.length - 1))
          : () => this.model.expand(item);
      case 'ArrowLeft':
        return item.expanded
          ? () => this.model.collapse(item)
          : () => this.goTo(this.parentOf(rows[at]!) ?? item);
      case 'Enter':
        return item.isTable ? () => this._activated.emit(item) : () => this.toggle(item);
      case ' ':
        return () => this.toggle(item);
      case 'ContextMenu':
        return () => this.openMenu(rows[at]!);
      case 'F10':
        return event.shiftKey ? () => this.openMenu(rows[at]!) : null;
    }
    return event.key.length === 1 ? () => this.typeAhead(event.key, rows, at) : null;
  }

  private parentOf(row: HTMLElement): TreeItem | null {
    const parent = row.parentElement?.closest<HTMLElement>('.tusk-TreeItem');
    return (parent && this.items.get(parent)) ?? null;
  }

  private openMenu(row: HTMLElement): void {
    const { left, bottom } = row.firstElementChild!.getBoundingClientRect();
    row.dispatchEvent(
      new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: left + 24, clientY: bottom })
    );
  }

  private typeAhead(key: string, rows: HTMLElement[], at: number): void {
    const now = Date.now();
    this.typed = now - this.typedAt < 800 ? this.typed + key.toLowerCase() : key.toLowerCase();
    this.typedAt = now;
    const from = this.typed.length > 1 ? at : at + 1;
    const order = [...rows.slice(from), ...rows.slice(0, from)].map(row => this.items.get(row)!);
    const found = order.find(item => item.name.toLowerCase().startsWith(this.typed));
    if (found) {
      this.goTo(found);
    }
  }

  private readonly list = h('ul', {
    class: 'tusk-Tree-list',
    attrs: { role: 'tree', 'aria-label': 'Connections', 'data-testid': 'tusk-tree' }
  });
  private readonly held = new Held(this.list);
  private readonly changed = new Set<TreeItem | null>();
  private items = new Map<HTMLElement, TreeItem>();
  private placeholder: Node[] = [];
  private found: TreeItem[] | null = null;
  private _active: TreeItem | null = null;
  private typed = '';
  private typedAt = 0;
  private _activated = new Signal<this, TreeItem>(this);
}

const EVENTS = ['keydown', 'dblclick', 'focusin', 'mousedown', 'click'] as const;

function note(
  level: number,
  text: string,
  kind: 'loading' | 'error' | 'empty' | 'more',
  hint = ''
): HTMLElement {
  const row = h(
    'li',
    { class: 'tusk-TreeNote', attrs: { role: kind === 'error' ? 'alert' : 'none', 'data-note': kind } },
    h('div', {}, text),
    hint ? h('div', { class: 'tusk-TreeNote-hint' }, hint) : null
  );
  row.style.setProperty('--tusk-level', String(level - 1));
  return row;
}
