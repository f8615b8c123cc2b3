/** What makes cells with SQL pleasant: highlighting, error squiggle, environment, formatting. */
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ICodeCellModel } from '@jupyterlab/cells';
import { CodeMirrorEditor, EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { followSettings } from '../settings';
import { CommandIDs, ITusk } from '../tokens';
import { NotebookConnection } from './current';
import { EnvironmentMarks, MarkSettings } from './environment';
import { canFormat, formatCell } from './format';
import { dialectsChanged, sqlHighlighting } from './highlight';
import { cellMagic } from './magic';
import { errorSquiggle } from './squiggle';

export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:cells',
  description: 'SQL highlighting, error positions, environment colours and formatting in notebook cells.',
  autoStart: true,
  requires: [ITusk, IEditorExtensionRegistry, INotebookTracker],
  optional: [ICommandPalette, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    tusk: ITusk,
    editors: IEditorExtensionRegistry,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    settings: ISettingRegistry | null
  ) => {
    const marks = new MarkSettings();
    void followSettings<{ marks: MarkSettings['value'] }>(
      settings,
      cellsPlugin.id,
      set => (marks.value = set.marks)
    );
    const driverOf = (model: ICodeCellModel, named: string | null): string | undefined => {
      tusk.connections.need();
      return tusk.connections.get(named ?? currentOf(notebookOf(tracker, model))?.value.name)?.driver;
    };
    const known = new WeakMap<NotebookPanel, NotebookConnection>();
    const currentOf = (panel: NotebookPanel | undefined): NotebookConnection | undefined => {
      if (panel && !known.has(panel)) {
        const made = new NotebookConnection(panel, tusk);
        made.changed.connect(() => tellDialects(panel));
        known.set(panel, made);
      }
      return panel && known.get(panel);
    };
    editors.addExtension({
      name: 'tusk-jupyter:sql',
      factory: ({ model }) =>
        isCodeCell(model)
          ? EditorExtensionRegistry.createImmutableExtension([
              sqlHighlighting(named => driverOf(model, named)),
              errorSquiggle(model)
            ])
          : null
    });
    tracker.widgetAdded.connect((_, panel) => new EnvironmentMarks(panel, tusk, currentOf(panel)!, marks));
    tusk.connections.changed.connect(() => tracker.forEach(tellDialects));
    app.commands.addCommand(CommandIDs.formatSql, {
      label: 'Format SQL',
      caption: 'Format the SQL of the active cell',
      isEnabled: () => canFormat(tracker.activeCell),
      execute: async () => {
        const cell = tracker.activeCell;
        if (cell && canFormat(cell)) {
          const magic = cellMagic(cell.model.sharedModel.getSource());
          await formatCell(cell, driverOf(cell.model as ICodeCellModel, magic?.connection ?? null), tusk);
        }
      }
    });
    tracker.activeCellChanged.connect(() => app.commands.notifyCommandChanged(CommandIDs.formatSql));
    palette?.addItem({ command: CommandIDs.formatSql, category: 'Tusk' });
    app.contextMenu.addItem({
      command: CommandIDs.formatSql,
      selector: '.jp-Notebook .jp-CodeCell',
      rank: 9
    });
  }
};

function isCodeCell(model: unknown): model is ICodeCellModel {
  return (model as { type?: string }).type === 'code' && 'outputs' in (model as object);
}

function notebookOf(tracker: INotebookTracker, model: ICodeCellModel): NotebookPanel | undefined {
  return tracker.find(panel => panel.content.widgets.some(cell => cell.model === model));
}

function tellDialects(panel: NotebookPanel): void {
  for (const cell of panel.content.widgets) {
    if (cell.editor instanceof CodeMirrorEditor) {
      cell.editor.editor.dispatch({ effects: dialectsChanged.of(null) });
    }
  }
}
