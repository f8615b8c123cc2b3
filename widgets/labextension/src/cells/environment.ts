/**
 * The mark on each cell with SQL: the connection that it would run on now and its environment, in words and as a border.
 *
 * All of it is the core's answer; what is not known is said to be so, and never looks like a harmless environment.
 */
import { Cell, isCodeCellModel } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';
import { Debouncer } from '@lumino/polling';

import { h } from '../dom';
import { ITusk } from '../tokens';
import { connectionsOf, doubtOf, NOT_KNOWN } from './connection';
import { NotebookConnection } from './current';
import { IKnown, IMark, markOf } from './mark';

const TYPING_PAUSE_MS = 150;
const NOT_SPOKEN =
  'The kernel has not spoken with the core of this page: it has not used Tusk yet, or has another TUSK_HOME.';

/** Which marks the user wants; see schema/cells.json. */
export class MarkSettings {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get value(): 'all' | 'environments' | 'none' {
    return this.marks;
  }

  set value(marks: 'all' | 'environments' | 'none') {
    this.marks = marks;
    this._changed.emit();
  }

  private marks: 'all' | 'environments' | 'none' = 'all';
  private _changed = new Signal<this, void>(this);
}

/** Marks the cells of one notebook. */
export class EnvironmentMarks {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly tusk: ITusk,
    private readonly current: NotebookConnection,
    private readonly wanted: MarkSettings
  ) {
    const all = new Debouncer(() => this.markAll(), TYPING_PAUSE_MS);
    const later = () => void all.invoke();
    tusk.connections.changed.connect(later, this);
    // That nothing is known any more is drawn at once.
    current.changed.connect(() => (current.value === NOT_KNOWN ? this.markAll() : later()), this);
    wanted.changed.connect(later, this);
    panel.content.modelContentChanged.connect(later, this);
    panel.content.modelChanged.connect(later, this);
    panel.disposed.connect(() => {
      all.dispose();
      this.held?.dispose();
      Signal.clearData(this);
    });
    void panel.context.ready.then(() => this.markAll());
  }

  private markAll(): void {
    const cells = this.panel.isDisposed ? [] : this.panel.content.widgets;
    for (const cell of cells) {
      try {
        const mark = this.wanted.value === 'none' ? null : this.markOf(cell);
        draw(cell, mark?.environment || this.wanted.value === 'all' ? mark : null);
      } catch (error) {
        console.error('Tusk: a cell could not be marked.', error);
      }
    }
  }

  private markOf(cell: Cell): IMark | null {
    const source = isCodeCellModel(cell.model) ? cell.model.sharedModel.getSource() : '';
    const names = connectionsOf(source, this.current.value);
    if (names.length === 0) {
      return null;
    }
    this.current.need();
    this.tusk.connections.need();
    this.held ??= this.tusk.changes.hold();
    const { isLoaded, isConfirmed } = this.tusk.connections;
    const doubt = this.current.isKernelKnown ? doubtOf(source) : NOT_SPOKEN;
    return isLoaded ? markOf(names, name => this.look(name, !isConfirmed, doubt)) : null;
  }

  private look(name: string, isOld: boolean, doubt: string | null): IKnown | undefined {
    const connection = this.tusk.connections.get(name);
    return connection && { name: connection.name, environment: connection.environment, isOld, doubt };
  }

  private held: IDisposable | null = null;
}

function draw(cell: Cell, mark: IMark | null): void {
  const old = cell.node.querySelector<HTMLElement>(':scope > .tusk-CellMark');
  if (mark?.environment) {
    cell.node.dataset.environment = mark.environment;
  } else {
    delete cell.node.dataset.environment;
  }
  if (!mark) {
    old?.remove();
  } else if (old?.textContent !== mark.label || old.title !== mark.title) {
    old?.remove();
    const attrs = { role: 'note', 'data-testid': 'tusk-cell-mark' };
    cell.node.append(h('div', { class: 'tusk-CellMark', title: mark.title, attrs }, mark.label));
  }
}
