/** The left panel. */
import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, MainAreaWidget, Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import {
  CommandToolbarButton,
  PanelWithToolbar,
  refreshIcon,
  SidePanel,
  Toolbar
} from '@jupyterlab/ui-components';
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { AccordionPanel, Widget } from '@lumino/widgets';

import { describeError } from './api';
import { h } from './dom';
import { tuskIcon } from './icons';
import { keepFocus } from './keys';
import { addBeside, below, show } from './shell';
import { qualifiedName, selectFrom } from './sql';
import { followSettings } from './settings';
import { CommandIDs, ITusk } from './tokens';
import { TableView } from './tree/describe';
import { TreeItem, TreeModel } from './tree/model';
import { SavedQueries } from './tree/queries';
import { SchemaSearch } from './tree/search';
import { TreeView } from './tree/view';
import { visible } from './visible';

const SEARCH_PAUSE_MS = 200;

class ConnectionsSection extends PanelWithToolbar {
  constructor(private readonly tusk: ITusk) {
    super();
    this.title.label = 'Connections';
    this.addClass('tusk-Connections');
    this.model = new TreeModel(tusk.api, tusk.connections);
    this.tree = new TreeView(this.model);
    this.searching = new SchemaSearch(tusk.api);
    this.addWidget(new Widget({ node: h('div', {}, this.box(), this.doubt) }));
    this.addWidget(this.tree);
    tusk.connections.changed.connect(() => this.explain());
    tusk.changes.doubtChanged.connect(() => this.tellDoubt());
    tusk.changes.changed.connect((_, topics) => {
      if (topics.has('schema')) {
        void this.followSchemas();
      }
    });
    this.explain();
  }

  readonly model: TreeModel;
  readonly tree: TreeView;

  private box(): HTMLElement {
    const search = new Debouncer(() => this.search(), SEARCH_PAUSE_MS);
    this.input.addEventListener('input', () => void search.invoke());
    this.input.addEventListener('keydown', event => {
      if (event.key === 'Escape' && this.input.value) {
        event.stopPropagation();
        this.input.value = '';
        void this.search();
      } else if (event.key === 'ArrowDown') {
        event.preventDefault();
        this.tree.activate();
      }
    });
    return h('div', { class: 'tusk-Search' }, this.input);
  }

  private async search(): Promise<void> {
    const text = this.input.value.trim();
    const found = text ? await this.searching.find(text, this.model.roots) : null;
    if (text === this.input.value.trim()) {
      this.tree.showFound(found);
      this.explain();
    }
  }

  /** A schema changed: draw again what is expanded of it. */
  private async followSchemas(): Promise<void> {
    for (const root of this.model.roots.filter(each => each.status === 'loaded')) {
      if (await this.searching.isNew(root.connection).catch(() => false)) {
        await this.model.refresh(root);
      }
    }
  }

  private tellDoubt(): void {
    const { doubt } = this.tusk.changes;
    this.doubt.textContent = doubt && visible(`${doubt[0]!.toUpperCase()}${doubt.slice(1)}.`);
    this.doubt.hidden = doubt === null;
  }

  private explain(): void {
    const { connections } = this.tusk;
    if (this.input.value.trim()) {
      const note = 'Nothing found. Tables are searched in the connections that you have opened here.';
      this.tree.setPlaceholder(h('p', { class: 'tusk-Quiet' }, note));
    } else if (connections.error) {
      const { message, hint } = describeError(connections.error);
      this.tree.setPlaceholder(
        h('div', { class: 'tusk-Error', attrs: { role: 'alert' } }, message, h('div', {}, hint))
      );
    } else if (!connections.isLoaded) {
      this.tree.setPlaceholder(h('p', { class: 'tusk-Quiet' }, 'Loading…'));
    } else {
      this.tree.setPlaceholder(
        h(
          'p',
          { class: 'tusk-Quiet' },
          'No connection yet. Add one in a notebook with ',
          h('code', {}, '%tusk pick'),
          '.'
        )
      );
    }
  }

  private readonly doubt = h('div', {
    class: 'tusk-Doubt',
    attrs: { role: 'status', hidden: '', 'data-testid': 'tusk-tree-doubt' }
  });
  private readonly input = h('input', {
    class: 'jp-mod-styled',
    attrs: {
      type: 'search',
      placeholder: 'Search by name',
      'aria-label': 'Search connections, tables and columns',
      'data-testid': 'tusk-search',
      spellcheck: false
    }
  });
  private readonly searching: SchemaSearch;
}

class TuskPanel extends SidePanel {
  constructor(private readonly tusk: ITusk) {
    super();
    this.id = 'tusk-panel';
    this.addClass('tusk-Panel');
    this.title.icon = tuskIcon;
    this.title.caption = 'Tusk: connections and query log';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Tusk');
    keepFocus(this.node);
  }

  protected onAfterShow(): void {
    this.held ??= this.tusk.changes.hold();
    void this.tusk.connections.refresh();
  }

  protected onAfterHide(): void {
    this.held?.dispose();
    this.held = null;
  }

  private held: IDisposable | null = null;
}

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:panel',
  description: 'The left panel with the connections and their schemas.',
  autoStart: true,
  requires: [ITusk],
  optional: [ILayoutRestorer, ICommandPalette, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    tusk: ITusk,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    settings: ISettingRegistry | null
  ) => {
    let inserts = 'select';
    void followSettings<{ tableInserts: string }>(
      settings,
      panelPlugin.id,
      set => (inserts = set.tableInserts)
    );
    const panel = new TuskPanel(tusk);
    const section = new ConnectionsSection(tusk);
    const queries = new SavedQueries(tusk.api, tusk.changes, app.commands);
    addCommands(app, tusk, section, panel);
    const { commands } = app;
    panel.toolbar.addItem('log', new CommandToolbarButton({ commands, id: CommandIDs.openLog }));
    panel.toolbar.addItem('spacer', Toolbar.createSpacerItem());
    panel.toolbar.addItem(
      'refresh',
      new CommandToolbarButton({ commands, id: CommandIDs.refreshAll, label: '' })
    );
    panel.addWidget(section);
    panel.addWidget(queries);
    (panel.content as AccordionPanel).setRelativeSizes([3, 1]);
    section.tree.activated.connect(() => {
      const item = section.tree.active;
      if (inserts === 'name' && item?.isTable) {
        const sql = qualifiedName(item.path, section.model.connectionOf(item)?.driver ?? '');
        void app.commands.execute(CommandIDs.insertSql, { sql, connection: item.connection });
      } else {
        void app.commands.execute(CommandIDs.insertSelect);
      }
    });
    app.shell.add(panel, 'left', { rank: 350, type: 'Tusk' });
    restorer?.add(panel, panel.id);
    palette?.addItem({ command: CommandIDs.showPanel, category: 'Tusk' });
    palette?.addItem({ command: CommandIDs.refreshAll, category: 'Tusk' });
    addContextMenu(app);
  }
};

function addCommands(app: JupyterFrontEnd, tusk: ITusk, section: ConnectionsSection, panel: TuskPanel): void {
  const { commands } = app;
  const { tree, model } = section;
  const driver = (item: TreeItem) => model.connectionOf(item)?.driver ?? '';
  const add = (
    id: string,
    label: string,
    fits: (item: TreeItem) => boolean,
    act: (item: TreeItem) => unknown
  ) =>
    commands.addCommand(id, {
      label,
      isEnabled: () => tree.active !== null && fits(tree.active),
      isVisible: () => tree.active !== null && fits(tree.active),
      execute: () => tree.active && act(tree.active)
    });
  commands.addCommand(CommandIDs.showPanel, {
    label: 'Show Connections',
    caption: 'Show the Tusk panel',
    execute: () => {
      app.shell.activateById(panel.id);
      tree.activate();
    }
  });
  commands.addCommand(CommandIDs.refreshAll, {
    label: 'Refresh Connections',
    caption: 'Refresh connections and what is expanded',
    icon: refreshIcon,
    execute: () => model.refreshAll()
  });
  add(
    CommandIDs.insertSelect,
    'Insert SELECT',
    item => item.isTable,
    item =>
      commands.execute(CommandIDs.insertSql, {
        sql: selectFrom(item.path, driver(item)),
        connection: item.connection,
        strict: false
      })
  );
  add(
    CommandIDs.copyName,
    'Copy Qualified Name',
    () => true,
    item =>
      Clipboard.copyToSystem(item.kind === 'connection' ? item.name : qualifiedName(item.path, driver(item)))
  );
  add(
    CommandIDs.describe,
    'Describe',
    item => item.isTable,
    item => describe(app, tusk, item)
  );
  add(
    CommandIDs.refresh,
    'Refresh',
    item => !item.isLeaf,
    item => model.refresh(item)
  );
  add(
    CommandIDs.test,
    'Test Connection',
    item => item.kind === 'connection',
    item => test(tusk, item)
  );
}

function addContextMenu(app: JupyterFrontEnd): void {
  const ids = ['insertSelect', 'describe', 'copyName', 'test', 'refresh'] as const;
  ids.forEach((name, rank) =>
    app.contextMenu.addItem({ command: CommandIDs[name], selector: '.tusk-TreeItem', rank })
  );
}

function describe(app: JupyterFrontEnd, tusk: ITusk, item: TreeItem): void {
  const id = `tusk-describe-${item.key}`;
  const open = [...app.shell.widgets('main'), ...below(app)].find(widget => widget.id === id);
  if (!open) {
    const content = new TableView(tusk.api, item);
    const widget = new MainAreaWidget({ content });
    widget.id = id;
    addBeside(app, widget, { mode: 'split-right', activate: false });
    show(app, widget);
    return;
  }
  show(app, open);
}

async function test(tusk: ITusk, item: TreeItem): Promise<void> {
  const working = Notification.emit(visible(`Testing ${item.name}…`), 'in-progress', { autoClose: false });
  const tell = (message: string, type: 'success' | 'error') =>
    Notification.update({
      id: working,
      message: visible(message),
      type,
      autoClose: type === 'success' ? 3000 : 8000
    });
  try {
    const { ok, server, link, elapsed_s, stage, error } = await tusk.api.test(item.name);
    const took = [`${Math.round((elapsed_s ?? 0) * 1000)} ms`, link].filter(Boolean).join(', ');
    const failed = [`${item.name} failed at “${stage}”: ${error?.message ?? ''}`, error?.hint]
      .filter(Boolean)
      .join('\n');
    tell(ok ? `${item.name} answers: ${server ?? ''} (${took})` : failed, ok ? 'success' : 'error');
  } catch (error) {
    const { message, hint } = describeError(error);
    tell([message, hint].filter(Boolean).join('\n'), 'error');
  }
}
