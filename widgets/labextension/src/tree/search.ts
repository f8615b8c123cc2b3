/** What a search shows: loaded nodes, and all tables and columns of the schemas of connections in use. */
import { Api } from '../api';
import { ISchemaSnapshot, ISnapshotTable } from '../messages';
import { NodeKind, TreeItem } from './model';

/** Tables of one connection that are shown; beyond, another letter in the search helps more. */
const MOST_TABLES = 200;
const WAIT_S = 2;

export class SchemaSearch {
  constructor(private readonly api: Api) {}

  /** Find `text` below the roots; a connection that nobody has opened is searched by its name only. */
  async find(text: string, roots: readonly TreeItem[]): Promise<TreeItem[]> {
    const needle = text.toLowerCase();
    const found = await Promise.all(roots.map(root => this.findBelow(root, needle)));
    return found.filter(item => item !== null);
  }

  /** Whether a connection's schema is another one than when this was asked last. */
  async isNew(connection: string): Promise<boolean> {
    const before = this.snapshots.get(connection)?.stamp ?? '';
    const after = (await this.snapshot(connection))?.stamp ?? '';
    return before !== '' && before !== after;
  }

  private async findBelow(root: TreeItem, needle: string): Promise<TreeItem | null> {
    const copy = new TreeItem('connection', root.name, root.connection, [], null);
    copy.status = 'loaded';
    if (root.status !== 'new') {
      const snapshot = await this.snapshot(root.connection).catch(() => null);
      if (snapshot?.snapshot) {
        addTables(copy, snapshot.snapshot.tables, needle);
      } else {
        addLoaded(copy, root, needle);
      }
    }
    copy.expanded = copy.children.length > 0;
    return copy.expanded || root.name.toLowerCase().includes(needle) ? copy : null;
  }

  private async snapshot(connection: string): Promise<ISchemaSnapshot | null> {
    const known = this.snapshots.get(connection);
    const answer = await this.api.schema(connection, known?.stamp ?? '', known ? 0 : WAIT_S);
    if (answer.snapshot) {
      this.snapshots.set(connection, answer);
    }
    return this.snapshots.get(connection) ?? null;
  }

  private snapshots = new Map<string, ISchemaSnapshot>();
}

function addTables(root: TreeItem, tables: readonly ISnapshotTable[], needle: string): void {
  let shown = 0;
  for (const table of tables) {
    const columns = (table.columns ?? []).filter(column => column.name.toLowerCase().includes(needle));
    const matches = table.path.join('.').toLowerCase().includes(needle);
    if ((matches || columns.length > 0) && shown < MOST_TABLES) {
      shown += 1;
      const item = place(root, table);
      if (!matches) {
        item.status = 'loaded';
        item.expanded = true;
        item.children = columns.map(
          column =>
            new TreeItem('column', column.name, item.connection, [...item.path, column.name], item, {
              ...column,
              kind: 'column'
            })
        );
      }
    }
  }
}

/** Make the items above a table, then the table. */
function place(root: TreeItem, table: ISnapshotTable): TreeItem {
  let parent = root;
  table.path.forEach((name, depth) => {
    const isLast = depth === table.path.length - 1;
    const kind: NodeKind = isLast
      ? (table.kind ?? 'table')
      : depth === table.path.length - 2
        ? 'schema'
        : 'catalog';
    let child = parent.children.find(each => each.name === name && each.kind === kind);
    if (!child) {
      child = new TreeItem(kind, name, root.connection, table.path.slice(0, depth + 1), parent);
      child.expanded = !isLast;
      child.status = isLast ? 'new' : 'loaded';
      parent.children.push(child);
    }
    parent = child;
  });
  return parent;
}

function addLoaded(target: TreeItem, source: TreeItem, needle: string): void {
  for (const child of source.children) {
    const copy = new TreeItem(child.kind, child.name, child.connection, child.path, target, child.info);
    addLoaded(copy, child, needle);
    if (copy.children.length > 0 || child.name.toLowerCase().includes(needle)) {
      copy.status = copy.children.length > 0 ? 'loaded' : 'new';
      copy.expanded = copy.children.length > 0;
      target.children.push(copy);
    }
  }
}
