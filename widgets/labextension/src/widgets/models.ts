/**
 * Our widgets as Jupyter's widget manager knows them. Their code is this extension's: what comes from a kernel, or from a
 * notebook file, is data. Loaded with the first widget, and only where @jupyter-widgets/base is.
 */
import type { AnyModel } from '@anywidget/types';
import { DOMWidgetModel, DOMWidgetView, IBackboneModelOptions } from '@jupyter-widgets/base';
import type { Kernel } from '@jupyterlab/services';

import { Grid } from './grid/grid';
import type { GridState } from './grid/types';
import { KernelLink } from './kernelLink';
import { Link, UNKNOWN_LINK } from './link';
import { LiveModel, liveModels, MODULE, MODULE_VERSION } from './live';
import { Channel } from './picker/channel';
import type { PickerState } from './picker/messages';
import { PickerView as Picker } from './picker/view';

abstract class PageModel extends DOMWidgetModel implements LiveModel {
  defaults(): Record<string, unknown> {
    return {
      ...super.defaults(),
      _model_module: MODULE,
      _model_module_version: MODULE_VERSION,
      _view_module: MODULE,
      _view_module_version: MODULE_VERSION
    };
  }

  initialize(attributes: Record<string, unknown>, options: IBackboneModelOptions): void {
    super.initialize(attributes, options);
    const { kernel } = this.widget_manager as { kernel?: Kernel.IKernelConnection | null };
    this.link = kernel ? new KernelLink(this, kernel) : UNKNOWN_LINK;
    if (this.comm_live) {
      this.once('destroy', () => liveModels.remove(this.model_id, this));
      liveModels.add(this.model_id, this);
    } // else it was read from a notebook file, and nobody answers
  }

  abstract drawIn(element: HTMLElement, signal: AbortSignal): void;

  /** Set by `initialize`, which Backbone calls before fields are initialized. */
  declare protected link: Link;
}

/** Where no output of ours draws the model: a console, an Output widget. */
class PageView extends DOMWidgetView {
  render(): void {
    super.render();
    const model = this.model as PageModel;
    if (model.comm_live) {
      model.drawIn(this.el as HTMLElement, this.end.signal);
    } else {
      this.el.textContent = 'Run the cell again to see this.';
    }
  }

  remove(): void {
    this.end.abort();
    super.remove();
  }

  private readonly end = new AbortController();
}

export class GridModel extends PageModel {
  drawIn(element: HTMLElement, signal: AbortSignal): void {
    new Grid(this as unknown as AnyModel<GridState>, element, signal, this.link);
  }
}

export class PickerModel extends PageModel {
  drawIn(element: HTMLElement, signal: AbortSignal): void {
    const model = this as unknown as AnyModel<PickerState>;
    const channel = new Channel(model, signal, this.link);
    const view = new Picker(channel, model.get('value'));
    element.append(view.node);
    view.start();
  }
}

export class GridView extends PageView {}
export class PickerView extends PageView {}
