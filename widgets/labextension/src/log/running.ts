/** Runs under way, on top of the log: also those of other kernels, each with its Cancel. */
import { showErrorMessage } from '@jupyterlab/apputils';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { describeError } from '../api';
import { h } from '../dom';
import { Held } from '../held';
import { IRunState } from '../messages';
import { originLink } from '../origin';
import { count, duration, oneLine, place } from './format';
import { LogModel } from './model';
import { IPlacedRun, placed } from './places';

const TICK_MS = 1000;

export class RunningList extends Widget {
  constructor(
    private readonly model: LogModel,
    private readonly goTo: (source: string, cell: string | null) => void
  ) {
    super();
    this.addClass('tusk-Running');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Running queries');
    this.node.setAttribute('data-testid', 'tusk-running');
    model.changed.connect(() => this.draw());
    this.node.addEventListener('pointerleave', () => this.draw());
    this.draw();
  }

  get selected(): ISignal<this, string> {
    return this._selected;
  }

  dispose(): void {
    clearInterval(this.timer);
    super.dispose();
  }

  private draw(): void {
    this.held.draw(() => this.drawNow());
  }

  private drawNow(): void {
    const { runs } = this.model;
    this.shown = placed(this.shown, runs, this.node.matches(':hover'));
    const drawn = this.shown
      .map(
        run =>
          `${run.run} ${run.cancelling ?? false} ${run.hasEnded ?? false} ${run.waits_for ?? ''} ${run.way_out ?? ''}`
      )
      .join('\n');
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.clocks.clear();
      this.node.replaceChildren(...this.shown.map(run => this.row(run)));
      this.setHidden(this.shown.length === 0);
      clearInterval(this.timer);
      this.timer = runs.length > 0 ? window.setInterval(() => this.tick(), TICK_MS) : undefined;
    }
    this.begins = new Map(runs.map(run => [run.run, Date.now() - run.elapsed_s * 1000]));
    this.tick();
  }

  private row(run: IPlacedRun): HTMLElement {
    const clock = h('span', { class: 'tusk-Running-clock' });
    this.clocks.set(run.run, clock);
    const look = h(
      'button',
      { class: 'tusk-Running-look', title: run.sql ?? '', on: { click: () => this._selected.emit(run.run) } },
      h('span', { class: 'tusk-Running-spinner', attrs: { 'aria-hidden': true } }),
      clock,
      h('span', { class: 'tusk-Running-where' }, run.connection),
      h('span', { class: 'tusk-Running-sql' }, oneLine(run.sql ?? ''))
    );
    const cancel = h(
      'button',
      {
        class: 'jp-mod-styled jp-mod-warn tusk-Running-cancel',
        attrs: {
          'aria-label': `Cancel the run on ${run.connection} of ${place(run.source, run.cell)}`,
          'data-testid': 'tusk-cancel'
        },
        on: { click: () => void this.cancel(run.run) }
      },
      run.hasEnded ? 'Ended' : run.cancelling ? 'Cancelling…' : 'Cancel'
    );
    cancel.disabled = run.hasEnded ?? run.cancelling ?? false;
    const { source = '', cell = null } = run;
    const origin = originLink(place(source, cell), source, cell, () => this.goTo(source, cell));
    origin.classList.add('tusk-Running-where');
    return h(
      'div',
      { class: 'tusk-Running-row', attrs: { 'data-run': run.run } },
      look,
      origin,
      cancel,
      ...(run.waits_for ? [waiting(run)] : [])
    );
  }

  private tick(): void {
    for (const run of this.model.runs) {
      const elapsed = Date.now() - (this.begins.get(run.run) ?? Date.now());
      const rows = run.rows ? ` · ${count(run.rows)} rows` : '';
      const clock = this.clocks.get(run.run);
      if (clock) {
        clock.textContent = duration(Math.floor(elapsed / 1000) * 1000) + rows;
      }
    }
  }

  private async cancel(run: string): Promise<void> {
    try {
      await this.model.cancel(run);
    } catch (error) {
      void showErrorMessage('The run was not cancelled', describeError(error).message);
    }
  }

  private readonly held = new Held(this.node);
  private shown: IPlacedRun[] = [];
  private drawn = '';
  private timer: number | undefined;
  private clocks = new Map<string, HTMLElement>();
  private begins = new Map<string, number>();
  private _selected = new Signal<this, string>(this);
}

function waiting(run: IRunState): HTMLElement {
  return h(
    'div',
    { class: 'tusk-Running-waits', attrs: { role: 'status', 'data-testid': 'tusk-waits' } },
    `Waits for ${run.waits_for}. ${run.way_out ?? ''}`.trim()
  );
}
