/** The configured connections as all panels and cells see them. */
import { ISignal, Signal } from '@lumino/signaling';

import { Api } from './api';
import { Changes } from './changes';
import { IConnection } from './messages';
import { folded } from './names';

export class Connections {
  constructor(
    private readonly api: Api,
    private readonly changes: Changes
  ) {
    changes.lost.connect(() => {
      this._changed.emit();
      if (this.asked && changes.isBehind) {
        void this.refresh(); // an answer to the poll may be one that the server had before
      }
    });
    changes.changed.connect((_, topics) => {
      if (topics.has('connections')) {
        void this.refresh();
      }
    });
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** All of them by name; empty until the first answer. */
  get all(): readonly IConnection[] {
    return this.list;
  }

  /** Why the last answer did not come, or null. */
  get error(): unknown {
    return this._error;
  }

  /** Whether the list is that of now, as far as a page can know. */
  get isConfirmed(): boolean {
    return this._error === null && this.changes.isHeard;
  }

  get isLoaded(): boolean {
    return this.loaded;
  }

  /** The one that the core would take for this name. */
  get(name: string | null | undefined): IConnection | undefined {
    const wanted = name == null ? null : folded(name);
    return this.list.find(connection => folded(connection.name) === wanted);
  }

  /** Ask for the list if nobody has yet. */
  need(): void {
    if (!this.asked) {
      void this.refresh();
    }
  }

  async refresh(): Promise<void> {
    this.asked = true;
    try {
      this.list = await this.api.connections();
      this.changes.catchUp();
      this._error = null;
      this.loaded = true;
    } catch (error) {
      this._error = error;
    }
    this._changed.emit();
  }

  private asked = false;
  private loaded = false;
  private list: IConnection[] = [];
  private _error: unknown = null;
  private _changed = new Signal<this, void>(this);
}
