/** Where a run came from: its notebook is opened and its cell scrolled to; nothing is executed. */
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { isCodeCellModel } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';

import { Api, describeError } from './api';
import { isCount } from './cells/count';
import { h } from './dom';
import { CommandIDs, ITusk } from './tokens';
import { visible } from './visible';

/** Whether a run's source is a notebook, and not a script or a command line. */
export function isNotebook(source: string | null | undefined): boolean {
  return /\.ipynb$/i.test(source ?? '');
}

/** A link to the cell that a run came from; plain text where it came from no notebook. */
export function originLink(text: string, source: string, cell: string | null, go: () => void): HTMLElement {
  if (!isNotebook(source)) {
    return h('span', { title: source }, text);
  }
  const title = `${source}${cell ? ': go to the cell' : ''}`;
  const click = (event: Event) => (event.stopPropagation(), go());
  return h(
    'button',
    { class: 'tusk-Link', title, attrs: { type: 'button', 'data-testid': 'tusk-origin' }, on: { click } },
    text
  );
}

export const originPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:origin',
  description: 'Opens the notebook and the cell that a run of Tusk came from.',
  autoStart: true,
  requires: [ITusk, INotebookTracker],
  activate: (app: JupyterFrontEnd, { api }: ITusk, tracker: INotebookTracker) => {
    app.commands.addCommand(CommandIDs.goToOrigin, {
      label: 'Go to the Cell of a Run',
      execute: args =>
        goTo(app, api, tracker, String(args.source ?? ''), args.cell ? String(args.cell) : null)
    });
  }
};

async function goTo(
  app: JupyterFrontEnd,
  api: Api,
  tracker: INotebookTracker,
  source: string,
  cell: string | null
): Promise<void> {
  let path: string | null;
  try {
    path = await api.notebook(source);
  } catch (error) {
    tell(describeError(error).message);
    return;
  }
  if (path === null) {
    tell(`${source} is outside of this server's folder.`);
    return;
  }
  const { contents } = app.serviceManager;
  // A drive, as that of a notebook edited by several, is no part of the file's path.
  let panel: NotebookPanel | undefined = tracker.find(each => contents.localPath(each.context.path) === path);
  await panel?.context.ready;
  const holdsCell = (each: NotebookPanel) => cell !== null && indexOf(each, cell) >= 0;
  if (!panel || !holdsCell(panel)) {
    // Renamed since, it may be open, and another notebook have its name now; a copy of it has cells of the same ids.
    const other = isCount(cell) ? undefined : tracker.find(holdsCell);
    panel = other && (panel || !(await hasCell(contents, path, cell))) ? other : panel;
  }
  if (!panel) {
    try {
      await contents.get(path, { content: false });
    } catch {
      tell(`${path} is not there any more.`);
      return;
    }
    panel = (await app.commands.execute('docmanager:open', { path })) as NotebookPanel | undefined;
  }
  if (!panel) {
    return; // Notebook 7 opens it in a window of its own
  }
  app.shell.activateById(panel.id);
  await panel.context.ready;
  await panel.revealed;
  if (cell) {
    await showCell(panel, cell);
  }
}

/** Scroll to a cell by its id, or by its execution count where the frontend told no id. */
async function showCell(panel: NotebookPanel, cell: string): Promise<void> {
  const { content } = panel;
  const index = indexOf(panel, cell);
  if (index < 0) {
    tell(
      `${panel.context.path} has no such cell: it was deleted, or is in a notebook that was renamed since.`
    );
    return;
  }
  content.activeCellIndex = index;
  content.deselectAll();
  await content.scrollToItem(index, 'smart');
}

function indexOf(panel: NotebookPanel, cell: string): number {
  return panel.content.widgets.findIndex(
    ({ model }) =>
      model.id === cell || (isCount(cell) && isCodeCellModel(model) && String(model.executionCount) === cell)
  );
}

/** Whether a saved notebook has a cell of that id. */
async function hasCell(contents: Contents.IManager, path: string, cell: string | null): Promise<boolean> {
  try {
    const { content } = await contents.get(path, { type: 'notebook' });
    return (content as { cells: { id?: string }[] }).cells.some(({ id }) => id === cell);
  } catch {
    return false;
  }
}

function tell(message: string): void {
  Notification.info(visible(message), { autoClose: 5000 });
}
