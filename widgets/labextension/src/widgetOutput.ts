/**
 * Outputs that our widgets are drawn in. The output draws the widget itself as soon as there is a model that a kernel
 * answers for: at once, or when the page was reloaded and Jupyter has asked the kernel for its models. Until then, and for
 * ever in a notebook whose kernel is gone, the output is its static table, or its text. Jupyter's own widget outputs do
 * neither: what they had drawn goes with the kernel, and what is left says that its model was not found.
 */
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Panel, Widget } from '@lumino/widgets';

import { LiveModel, liveModels, MODULE, MODULE_VERSION } from './widgets/live';

const OURS = 'application/vnd.tusk.widget+json';
const WIDGET = 'application/vnd.jupyter.widget-view+json';
const STATIC = ['text/html', 'text/plain'];
/** Preferred to the widgets' own, which is -10. */
const RANK = -11;
/** The table is not shown for a blink before the grid is there. */
const PATIENCE_MS = 700;

type Registry = NotebookPanel['content']['rendermime'];
type Renderer = ReturnType<Registry['createRenderer']>;
type Model = Parameters<Renderer['renderModel']>[0];

class WidgetOutput extends Panel implements Renderer {
  constructor(
    private readonly registry: Registry,
    private readonly hasKernel: () => boolean
  ) {
    super();
  }

  async renderModel(model: Model): Promise<void> {
    this.clear();
    const mime = STATIC.find(each => model.data[each] !== undefined) ?? 'text/plain';
    const still = this.registry.createRenderer(mime);
    this.addWidget(still);
    this.addWidget(this.holder);
    this.still = still;
    const view = model.data[WIDGET] as { model_id?: unknown } | undefined;
    this.modelId = typeof view?.model_id === 'string' ? view.model_id : '';
    liveModels.added.connect(this.onAdded, this);
    this.drawLive();
    if (this.drawn === null && this.hasKernel()) {
      still.hide();
      this.timer = window.setTimeout(() => still.setHidden(this.drawn !== null), PATIENCE_MS);
    }
    await still.renderModel(model);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.clear();
      super.dispose();
    }
  }

  private onAdded(_: unknown, id: string): void {
    if (id === this.modelId) {
      this.drawLive();
    }
  }

  /** Draw the model that a kernel answers for, if there is one; what was drawn before stays otherwise. */
  private drawLive(): void {
    const live = liveModels.get(this.modelId);
    if (live === undefined || live === this.drawn) {
      return;
    }
    const view = new AbortController();
    const element = document.createElement('div');
    try {
      live.drawIn(element, view.signal);
    } catch (error) {
      view.abort();
      console.error('A widget of Tusk could not be drawn.', error);
      return;
    }
    this.view?.abort();
    [this.view, this.drawn] = [view, live];
    this.holder.node.replaceChildren(element);
    this.still?.hide();
  }

  private clear(): void {
    liveModels.added.disconnect(this.onAdded, this);
    window.clearTimeout(this.timer);
    this.view?.abort();
    [this.view, this.drawn] = [null, null];
    this.holder.node.replaceChildren();
    this.holder.parent = null;
    [...this.widgets].forEach(widget => widget.dispose());
  }

  private readonly holder = new Widget();
  private still: Widget | null = null;
  private modelId = '';
  private timer = 0;
  private view: AbortController | null = null;
  private drawn: LiveModel | null = null;
}

export const widgetOutputPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:widget-output',
  description:
    'Draws grids and pickers in the outputs of a notebook, and their static table where no kernel answers.',
  autoStart: true,
  activate: (app: JupyterFrontEnd): void => {
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel): void => {
        const registry = panel.content.rendermime;
        const hasKernel = (): boolean => !panel.sessionContext.hasNoKernel;
        const createRenderer = (): WidgetOutput => new WidgetOutput(registry, hasKernel);
        registry.addFactory({ safe: false, mimeTypes: [OURS], createRenderer }, RANK);
      }
    });
  }
};

export const widgetsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:widgets',
  description: 'Gives the code of our widgets to the widget manager.',
  autoStart: true,
  activate: async (app: JupyterFrontEnd): Promise<void> => {
    // Not imported above: where Lab has no widget manager, nobody shares this package, and the rest is to work.
    const base = await import('@jupyter-widgets/base').catch(() => null);
    const registry = base && (await app.resolveOptionalService(base.IJupyterWidgetRegistry));
    registry?.registerWidget({
      name: MODULE,
      version: MODULE_VERSION,
      exports: async () => {
        const { GridModel, GridView, PickerModel, PickerView } = await import('./widgets/models');
        return { GridModel, GridView, PickerModel, PickerView };
      }
    });
  }
};
