/** The query log: filters, runs under way, the list of ended ones, and the run that is looked at. */
import { CommandRegistry } from '@lumino/commands';
import { IDisposable } from '@lumino/disposable';
import { Message, MessageLoop } from '@lumino/messaging';
import { Panel, SplitPanel, Widget } from '@lumino/widgets';
import { historyIcon } from '@jupyterlab/ui-components';

import { h } from '../dom';
import { keepFocus } from '../keys';
import { CommandIDs, ITusk } from '../tokens';
import { visible } from '../visible';
import { LogActions } from './actions';
import { RunDetails } from './details';
import { LogFilters } from './filters';
import { count } from './format';
import { LogList } from './list';
import { LogModel } from './model';
import { RunningList } from './running';

/** Narrower panels have the run that is looked at below the list, not beside it. */
const NARROW_PX = 700;
const FORMATS = ['csv', 'json', 'sql'] as const;

export class LogPanel extends Panel {
  constructor(
    private readonly tusk: ITusk,
    commands: CommandRegistry,
    hideTools = true
  ) {
    super();
    this.addClass('tusk-Log');
    this.title.label = 'Query Log';
    this.title.caption = 'All SQL that was run, from every notebook';
    this.title.icon = historyIcon;
    this.title.closable = true;
    this.model = new LogModel(tusk.api, { tools: !hideTools });
    this.filters = new LogFilters(tusk.connections, hideTools);
    const goTo = (source: string, cell: string | null) =>
      void commands.execute(CommandIDs.goToOrigin, { source, cell });
    this.list = new LogList(this.model, goTo);
    this.running = new RunningList(this.model, goTo);
    this.actions = new LogActions(tusk.api, this.model, () => this.look(null));
    this.details = new RunDetails(tusk.api, tusk.connections, commands, this.actions, () =>
      this.list.select(null)
    );
    this.layOut();
    this.follow();
    keepFocus(this.node);
  }

  dispose(): void {
    this.held?.dispose();
    super.dispose();
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.begin();
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this.begin();
    }
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.held?.dispose();
    this.held = null;
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.filters.focusText();
  }

  protected onResize(message: Widget.ResizeMessage): void {
    super.onResize(message);
    const width = message.width < 0 ? this.node.offsetWidth : message.width;
    this.split.orientation = width < NARROW_PX ? 'vertical' : 'horizontal';
  }

  private begin(): void {
    if (!this.held) {
      this.held = this.tusk.changes.hold();
      this.tusk.connections.need();
      if (this.model.entries.length > 0) {
        this.model.notice();
      } else {
        void this.model.reload();
      }
    }
  }

  private layOut(): void {
    const left = new Panel();
    left.addClass('tusk-Log-main');
    left.addWidget(this.running);
    left.addWidget(this.list);
    this.split.addWidget(left);
    this.split.addWidget(this.details);
    this.split.setRelativeSizes([65, 35]);
    [this.filters, this.split, new Widget({ node: this.foot() })].forEach(widget => this.addWidget(widget));
  }

  private foot(): HTMLElement {
    const exports = FORMATS.map(format =>
      link(format.toUpperCase(), `Export all that match as ${format.toUpperCase()}`, () =>
        this.actions.export(format, this.filters.filter)
      )
    );
    const retention = link(
      'Retention…',
      'Choose how long the log is kept',
      () => void this.actions.retention()
    );
    return h(
      'div',
      { class: 'tusk-Log-foot' },
      this.shown,
      h('span', { class: 'tusk-Log-export' }, 'Export', ...exports),
      retention
    );
  }

  private follow(): void {
    this.filters.changed.connect((_, filter) => {
      void this.model.setFilter(filter);
      MessageLoop.postMessage(this.split, Widget.ResizeMessage.UnknownSize); // the filters may take another line now
    });
    this.list.selected.connect((_, run) => this.look(run));
    this.running.selected.connect((_, run) => this.look(run));
    this.tusk.changes.changed.connect((_, topics) => {
      if (this.held && (topics.has('log') || topics.has('runs'))) {
        this.model.notice();
      }
    });
    this.tusk.changes.doubtChanged.connect(() => {
      this.tell();
      if (this.held && this.tusk.changes.doubt === null) {
        this.model.notice();
      }
    }, this);
    this.model.changed.connect(() => {
      const { entries, runs } = this.model;
      this.tell();
      this.filters.offerSources([...entries, ...runs].map(each => each.source ?? '').filter(Boolean));
      this.renew();
    });
  }

  private tell(): void {
    const { entries, total, loading } = this.model;
    const all = total === null || total < 0 ? '' : ` of ${count(total)}`;
    const shown = loading && entries.length === 0 ? 'Loading…' : `${count(entries.length)}${all} runs`;
    const { doubt } = this.tusk.changes;
    this.shown.textContent = visible(doubt === null ? shown : `${shown} · ${doubt}`);
    this.shown.classList.toggle('tusk-mod-doubtful', doubt !== null);
  }

  private look(run: string | null): void {
    if (run === null) {
      this.details.clear();
    } else if (run !== this.details.run) {
      this.lookedAtRunning = this.isRunning(run);
      void this.details.showRun(run);
    }
  }

  /** A run that ended while it was looked at has a status, rows and perhaps an error now. */
  private renew(): void {
    const { run } = this.details;
    if (run && this.lookedAtRunning && !this.isRunning(run)) {
      this.lookedAtRunning = false;
      void this.details.showRun(run);
    }
  }

  private isRunning(run: string): boolean {
    return this.model.runs.some(each => each.run === run);
  }

  private lookedAtRunning = false;
  private held: IDisposable | null = null;
  private readonly shown = h('span', {
    class: 'tusk-Log-shown',
    attrs: { role: 'status', 'data-testid': 'tusk-log-shown' }
  });
  private readonly split = new SplitPanel({ orientation: 'horizontal', spacing: 1 });
  private readonly model: LogModel;
  readonly filters: LogFilters;
  private readonly list: LogList;
  private readonly running: RunningList;
  private readonly actions: LogActions;
  private readonly details: RunDetails;
}

function link(label: string, title: string, act: () => void): HTMLElement {
  return h(
    'button',
    { class: 'tusk-Link', title, attrs: { type: 'button', 'aria-label': title }, on: { click: act } },
    label
  );
}
