/** The tree of connections: nodes that load their children when asked, and keep what is expanded over a refresh. */
import { ISignal, Signal } from '@lumino/signaling';

import { Api } from '../api';
import { Connections } from '../connections';
import { IConnection, ITreeNode } from '../messages';

export type NodeKind = 'connection' | ITreeNode['kind'];

export class TreeItem {
  constructor(
    readonly kind: NodeKind,
    readonly name: string,
    readonly connection: string,
    readonly path: readonly string[],
    readonly parent: TreeItem | null,
    public info: ITreeNode | null = null
  ) {}

  children: TreeItem[] = [];
  expanded = false;
  status: 'new' | 'loading' | 'loaded' | 'failed' = 'new';
  error: unknown = null;

  get isLeaf(): boolean {
    return this.kind === 'column';
  }

  get isTable(): boolean {
    return this.kind === 'table' || this.kind === 'view';
  }

  /** The same for the same thing, also after a refresh. */
  get key(): string {
    return JSON.stringify([this.connection, ...this.path]);
  }
}

export class TreeModel {
  constructor(
    private readonly api: Api,
    private readonly connections: Connections
  ) {
    connections.changed.connect(() => this.takeConnections());
  }

  roots: TreeItem[] = [];

  /** Emits the item whose children changed, or null when the roots did. */
  get changed(): ISignal<this, TreeItem | null> {
    return this._changed;
  }

  connectionOf(item: TreeItem): IConnection | undefined {
    return this.connections.get(item.connection);
  }

  expand(item: TreeItem): void {
    if (!item.isLeaf && !item.expanded) {
      item.expanded = true;
      if (item.status === 'new' || item.status === 'failed') {
        void this.load(item);
      } else {
        this._changed.emit(item);
      }
    }
  }

  collapse(item: TreeItem): void {
    if (item.expanded) {
      item.expanded = false;
      this._changed.emit(item);
    }
  }

  /** Ask again for what is below an item, as far as it is expanded. */
  async refresh(item: TreeItem): Promise<void> {
    if (item.status === 'new' && !item.expanded) {
      return;
    }
    await this.load(item);
    await Promise.all(item.children.filter(child => child.expanded).map(child => this.refresh(child)));
  }

  async refreshAll(): Promise<void> {
    await this.connections.refresh();
    await Promise.all(this.roots.map(root => this.refresh(root)));
  }

  private async load(item: TreeItem): Promise<void> {
    const attempt = (this.attempts.get(item) ?? 0) + 1;
    this.attempts.set(item, attempt);
    item.status = 'loading';
    this._changed.emit(item);
    try {
      const nodes = await this.api.branch(item.connection, item.path);
      if (this.attempts.get(item) !== attempt) {
        return;
      }
      item.children = this.merge(item, nodes);
      item.status = 'loaded';
      item.error = null;
    } catch (error) {
      if (this.attempts.get(item) !== attempt) {
        return;
      }
      item.children = [];
      item.status = 'failed';
      item.error = error;
    }
    this._changed.emit(item);
  }

  private merge(item: TreeItem, nodes: ITreeNode[]): TreeItem[] {
    const known = new Map(item.children.map(child => [`${child.kind} ${child.name}`, child]));
    return nodes.map(node => {
      const child =
        known.get(`${node.kind} ${node.name}`) ??
        new TreeItem(node.kind, node.name, item.connection, [...item.path, node.name], item);
      child.info = node;
      return child;
    });
  }

  private takeConnections(): void {
    const known = new Map(this.roots.map(root => [root.name, root]));
    this.roots = this.connections.all.map(
      ({ name }) => known.get(name) ?? new TreeItem('connection', name, name, [], null)
    );
    this._changed.emit(null);
  }

  private attempts = new WeakMap<TreeItem, number>();
  private _changed = new Signal<this, TreeItem | null>(this);
}
