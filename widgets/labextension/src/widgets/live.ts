/** The models of our widgets that a kernel answers for, by their ids: outputs draw them, whenever they come. */
import { ISignal, Signal } from '@lumino/signaling';

/** The module of our widgets; no npm package can have this name, so no front end fetches somebody's code for it. */
export const MODULE = '_tusk-jupyter';
/** Of what model and page say to each other; `tusk_widgets/page.py` has the same. */
export const MODULE_VERSION = '1.0.0';

export interface LiveModel {
  /** Draw it into an element, until `signal` aborts. */
  drawIn(element: HTMLElement, signal: AbortSignal): void;
}

class LiveModels {
  get(id: string): LiveModel | undefined {
    return this.models.get(id);
  }

  add(id: string, model: LiveModel): void {
    this.models.set(id, model);
    this._added.emit(id);
  }

  remove(id: string, model: LiveModel): void {
    if (this.models.get(id) === model) {
      this.models.delete(id);
    }
  }

  /** Emits the id of a model that came, or came again. */
  get added(): ISignal<this, string> {
    return this._added;
  }

  private readonly models = new Map<string, LiveModel>();
  private readonly _added = new Signal<this, string>(this);
}

export const liveModels = new LiveModels();
