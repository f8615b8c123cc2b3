/** The plugin that brings SQL into notebooks and files. Only `run-in-new-cell` executes anything. */
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { CodeEditor } from '@jupyterlab/codeeditor';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { cellText, insertion, ISql } from './cells/insertion';
import { CommandIDs } from './tokens';

function sqlOf(args: ReadonlyPartialJSONObject): ISql {
  return {
    sql: String(args.sql ?? '').trimEnd(),
    connection: args.connection ? String(args.connection) : null
  };
}

export const insertPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:insert',
  description: 'Inserts SQL at the cursor, into new cells and into new files.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker) => {
    const { commands } = app;
    const inNotebook = async (use: (panel: NotebookPanel) => void | Promise<unknown>) => {
      const panel = tracker.currentWidget;
      if (!panel) {
        Notification.info('Open a notebook first: the SQL goes into the one that you used last.', {
          autoClose: 5000
        });
        return;
      }
      await panel.context.ready;
      app.shell.activateById(panel.id);
      await use(panel);
    };
    commands.addCommand(CommandIDs.insertSql, {
      label: 'Insert SQL at Cursor',
      caption: 'Insert the SQL into the active cell, where its cursor stands',
      execute: args => inNotebook(panel => insertAtCursor(panel, sqlOf(args), args.strict !== false))
    });
    commands.addCommand(CommandIDs.newCell, {
      label: 'New SQL Cell Below',
      caption: 'Add a cell with the SQL below the active one; it is not run',
      execute: args => inNotebook(panel => addCell(panel, cellText(sqlOf(args))))
    });
    commands.addCommand(CommandIDs.runInNewCell, {
      label: 'Run SQL in New Cell',
      caption: 'Add a cell with the SQL below the active one, and run it',
      execute: args =>
        inNotebook(panel => {
          addCell(panel, cellText(sqlOf(args)));
          return NotebookActions.run(panel.content, panel.sessionContext);
        })
    });
    commands.addCommand(CommandIDs.openCopy, {
      label: 'Open SQL as Copy',
      caption: 'Open the SQL in a new file; the record is not changed',
      execute: args => openCopy(app, sqlOf(args))
    });
  }
};

/** Insert at the cursor of the active cell, or where that would spoil what stands there into a new one. */
function insertAtCursor(panel: NotebookPanel, sql: ISql, strict: boolean): void {
  const cell = panel.content.activeCell;
  const editor = cell?.model.type === 'code' ? cell.editor : null;
  const change = editor && insertion(editor.model.sharedModel.getSource(), selectedIn(editor), sql, strict);
  if (!editor || !change) {
    addCell(panel, cellText(sql));
    return;
  }
  const { from, to, text } = change;
  editor.model.sharedModel.updateSource(from, to, text);
  const end = editor.getPositionAt(from + text.length);
  if (end) {
    editor.setCursorPosition(end);
  }
  panel.content.mode = 'edit';
  editor.focus();
}

/** What is selected, by its offsets; a selection may have been drawn backwards. */
function selectedIn(editor: CodeEditor.IEditor): { from: number; to: number } {
  const { start, end } = editor.getSelection();
  const [from, to] = [editor.getOffsetAt(start), editor.getOffsetAt(end)].sort((a, b) => a - b);
  return { from: from!, to: to! };
}

function addCell(panel: NotebookPanel, source: string): void {
  NotebookActions.insertBelow(panel.content);
  const cell = panel.content.activeCell;
  if (cell?.model.type !== 'code') {
    NotebookActions.changeCellType(panel.content, 'code');
  }
  panel.content.activeCell?.model.sharedModel.setSource(source);
}

async function openCopy(app: JupyterFrontEnd, { sql, connection }: ISql): Promise<void> {
  const { contents } = app.serviceManager;
  const { path } = await contents.newUntitled({ type: 'file', ext: 'sql' });
  const note = connection
    ? `-- Connection: ${connection} (run it with %%sql ${connection} --file ${path})\n`
    : '';
  // The text is in the file before it is opened: Notebook 7 opens it in a window of its own.
  await contents.save(path, { type: 'file', format: 'text', content: `${note}${sql}\n` });
  await app.commands.execute('docmanager:open', { path, factory: 'Editor' });
}
