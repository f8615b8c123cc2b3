/** The mark of an environment on each cell that uses it: a border in its colour, and its name in words. */
import { Cell, isCodeCellModel } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { Debouncer } from '@lumino/polling';

import { h } from '../dom';
import { Environment } from '../messages';
import { ITusk } from '../tokens';
import { namedConnection, runOf } from './connection';

const TYPING_PAUSE_MS = 150;

/** Marks the cells of one notebook. */
export class EnvironmentMarks {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly tusk: ITusk
  ) {
    const all = new Debouncer(() => this.markAll(), TYPING_PAUSE_MS);
    const later = () => void all.invoke();
    tusk.connections.changed.connect(later, this);
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
      this.mark(cell);
    }
  }

  private mark(cell: Cell): void {
    const named = isCodeCellModel(cell.model)
      ? namedConnection(cell.model.sharedModel.getSource())
      : undefined;
    if (named === undefined) {
      draw(cell, null, '');
      return;
    }
    this.tusk.connections.need();
    this.held ??= this.tusk.changes.hold();
    const run = runOf(cell.model);
    const name = named ?? run?.connection ?? null;
    const known = this.tusk.connections.get(name)?.environment;
    draw(cell, known ?? (run?.connection === name ? run?.environment : null) ?? null, name ?? '');
  }

  private held: IDisposable | null = null;
}

function draw(cell: Cell, environment: Environment | null, connection: string): void {
  const old = cell.node.querySelector<HTMLElement>(':scope > .tusk-CellMark');
  if (!environment) {
    old?.remove();
    delete cell.node.dataset.environment;
    return;
  }
  const label = `${environment.toUpperCase()} · ${connection}`;
  cell.node.dataset.environment = environment;
  if (old?.textContent !== label) {
    old?.remove();
    const attrs = { role: 'note', 'data-testid': 'tusk-cell-mark' };
    cell.node.append(h('div', { class: 'tusk-CellMark', title: `This cell runs on ${label}`, attrs }, label));
  }
}
