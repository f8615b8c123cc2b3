/** What is current in a notebook's kernel, as the core says: asked for anew whenever a connection or a kernel changes. */
import { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { heedPicks, IPick } from '../picks';
import { ITusk } from '../tokens';
import { ICurrent, NOT_KNOWN } from './connection';

export class NotebookConnection {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly tusk: ITusk
  ) {
    panel.disposed.connect(() => {
      this.end.abort();
      Signal.clearData(this);
    });
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get value(): ICurrent {
    return this.picks.size > 0 ? NOT_KNOWN : this.current;
  }

  /** Whether the kernel has spoken with this core: one with another state folder has other connections of the same names. */
  get isKernelKnown(): boolean {
    return this.known;
  }

  /** Ask now and from now on; a notebook without SQL never does. */
  need(): void {
    if (this.isNeeded) {
      return;
    }
    this.isNeeded = true;
    const ask = () => void this.ask();
    this.tusk.connections.changed.connect(ask, this);
    this.panel.sessionContext.kernelChanged.connect(() => this.forget(), this);
    // The server answers after it has told the core where the notebook is: the log names a renamed one as it is now.
    this.panel.sessionContext.propertyChanged.connect(ask, this);
    this.panel.sessionContext.statusChanged.connect((_, status) => this.follow(status), this);
    heedPicks((pick, isOver) => this.followPick(pick, isOver), this.end.signal);
    ask();
  }

  /**
   * A restart begins while the old process still answers for the kernel, and the news that the new one starts may pass before
   * the page is connected to it: the first sign of life after whatever else it was is the one that never fails.
   */
  private follow(status: Kernel.Status): void {
    const isAlive = status === 'idle' || status === 'busy';
    if (!isAlive || !this.wasAlive) {
      this.forget();
    }
    this.wasAlive = isAlive;
  }

  /** While something is chosen in a picker, and until it is known what came of it, nothing is known. */
  private followPick(pick: IPick, isOver: boolean): void {
    const isOurs = pick.kernel === null || pick.kernel === this.panel.sessionContext.session?.kernel?.id;
    if (!isOver && isOurs) {
      this.picks.add(pick);
      this._changed.emit();
    } else if (isOver && (this.picks.delete(pick) || isOurs)) {
      this.askAnew();
      void this.tusk.connections.refresh();
    }
  }

  private forget(): void {
    this.known = false;
    this.askAnew();
  }

  /** What another process had chosen says nothing of this one, however long the core takes to answer. */
  private askAnew(): void {
    this.take(NOT_KNOWN);
    void this.ask();
  }

  private async ask(): Promise<void> {
    const question = ++this.asked;
    let [current, known] = [NOT_KNOWN, false];
    try {
      const answer = await this.tusk.api.current(this.panel.sessionContext.session?.kernel?.id ?? '');
      const name = answer.connection?.name ?? null;
      known = answer.known ?? false;
      // A kernel that this core does not know may have chosen something at one that has ended.
      current = { name: name ?? (known ? null : undefined), chosen: answer.chosen ?? false };
    } catch {
      // The list of connections says what is wrong; the cells say that they do not know.
    }
    if (question === this.asked && !this.panel.isDisposed) {
      this.known = known;
      this.take(current);
    }
  }

  private take(current: ICurrent): void {
    this.current = current;
    this._changed.emit();
  }

  private readonly picks = new Set<IPick>();
  private readonly end = new AbortController();
  private asked = 0;
  private known = false;
  private isNeeded = false;
  private wasAlive = true;
  private current = NOT_KNOWN;
  private _changed = new Signal<this, void>(this);
}
