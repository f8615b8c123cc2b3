/**
 * A result whose grid cannot be drawn is read from its static table: a notebook that was opened again has no widget any
 * more, and the widgets' own output then only says that its model was not found.
 */
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { NotebookPanel } from '@jupyterlab/notebook';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { Panel, Widget } from '@lumino/widgets';

const GRID = 'application/vnd.tusk.grid+json';
const WIDGET = 'application/vnd.jupyter.widget-view+json';
const TABLE = 'text/html';
/** Preferred to the widgets' own, which is -10. */
const RANK = -11;
/** The table is not shown for a blink before the grid is there. */
const PATIENCE_MS = 1500;
const FAILED = 'Error displaying widget';

type Registry = NotebookPanel['content']['rendermime'];
type Renderer = ReturnType<Registry['createRenderer']>;
type Model = Parameters<Renderer['renderModel']>[0];

class GridOutput extends Panel implements Renderer {
  constructor(private readonly registry: Registry) {
    super();
  }

  async renderModel(model: Model): Promise<void> {
    this.stop();
    while (this.widgets.length > 0) {
      this.widgets[0]!.dispose();
    }
    const table = this.registry.createRenderer(TABLE);
    this.addWidget(table);
    if (this.registry.getFactory(WIDGET) !== undefined && model.data[WIDGET] !== undefined) {
      this.tryGrid(model, table);
    }
    await table.renderModel(model);
  }

  dispose(): void {
    this.stop();
    super.dispose();
  }

  /** Draw the grid in the table's place; the table comes back when there is none. */
  private tryGrid(model: Model, table: Widget): void {
    const grid = this.registry.createRenderer(WIDGET);
    this.addWidget(grid);
    const update = (isLate: boolean): void => {
      const isThere = grid instanceof Panel && grid.widgets.length > 0 && !grid.isHidden;
      const hasFailed = grid.isHidden || (grid.node.textContent ?? '').startsWith(FAILED);
      grid.node.style.display = isThere ? '' : 'none';
      table.setHidden(isThere || !(hasFailed || isLate));
    };
    const timer = window.setTimeout(() => update(true), PATIENCE_MS);
    const observer = new MutationObserver(() => update(false));
    observer.observe(grid.node, { childList: true, characterData: true, subtree: true });
    this.watching = new DisposableDelegate(() => {
      window.clearTimeout(timer);
      observer.disconnect();
    });
    update(false);
    void grid.renderModel(model);
  }

  private stop(): void {
    this.watching?.dispose();
    this.watching = null;
  }

  private watching: IDisposable | null = null;
}

export const gridOutputPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:grid-output',
  description: 'Shows the static table of a result where its grid cannot be drawn.',
  autoStart: true,
  activate: (app: JupyterFrontEnd): void => {
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel): void => {
        const registry = panel.content.rendermime;
        const createRenderer = (): GridOutput => new GridOutput(registry);
        registry.addFactory({ safe: false, mimeTypes: [GRID], createRenderer }, RANK);
      }
    });
  }
};
