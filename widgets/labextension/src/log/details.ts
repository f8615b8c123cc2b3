/** One run beside the list: its text, values, error and plan. Buttons act, nothing else does. */
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import {
  addBelowIcon,
  closeIcon,
  copyIcon,
  deleteIcon,
  LabIcon,
  openKernelSourceIcon,
  pasteIcon,
  runIcon,
  saveIcon
} from '@jupyterlab/ui-components';

import { Api, describeError } from '../api';
import { Connections } from '../connections';
import { h } from '../dom';
import { ILogEntry, IPlan } from '../messages';
import { Held } from '../held';
import { originLink } from '../origin';
import { highlighted } from '../sql';
import { CommandIDs } from '../tokens';
import { LogActions } from './actions';
import { count, duration } from './format';
import { statusIcon } from './status';

export class RunDetails extends Widget {
  constructor(
    private readonly api: Api,
    private readonly connections: Connections,
    private readonly commands: CommandRegistry,
    private readonly actions: LogActions,
    private readonly closed: () => void
  ) {
    super();
    this.addClass('tusk-Details');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Run');
    this.node.setAttribute('data-testid', 'tusk-details');
    this.clear();
  }

  get run(): string | null {
    return this._run;
  }

  clear(): void {
    this._run = null;
    this.node.replaceChildren();
    this.hide(); // and the list has all the room
  }

  async showRun(run: string): Promise<void> {
    const isOther = run !== this._run;
    this._run = run;
    this.show();
    try {
      const entry = await this.api.entry(run);
      if (this._run === run) {
        this.held.draw(() => this._run === run && this.draw(entry, isOther));
      }
    } catch (error) {
      const { message, hint } = describeError(error);
      this.node.replaceChildren(
        h('div', { class: 'tusk-Error', attrs: { role: 'alert' } }, message, h('div', {}, hint))
      );
    }
  }

  protected onCloseRequest(): void {
    this.clear();
    this.closed();
  }

  private draw(entry: ILogEntry, isOther: boolean): void {
    if (isOther) {
      this.plan = h('div', { class: 'tusk-Details-plan' }, this.planButton(entry));
    }
    const environment = this.connections.get(entry.connection)?.environment;
    const parameters = Object.entries(entry.parameters ?? {});
    this.node.replaceChildren(
      h(
        'div',
        { class: 'tusk-Details-head' },
        statusIcon(entry.status),
        h('strong', {}, entry.status),
        h('span', { class: 'tusk-Details-on' }, `on ${entry.connection}`),
        environment
          ? h('span', { class: 'tusk-Badge', attrs: { 'data-environment': environment } }, environment)
          : null,
        h('span', { class: 'tusk-Details-gap' }),
        button('Close', closeIcon, () => this.close())
      ),
      this.buttons(entry),
      entry.error ? errorBox(entry) : '',
      h(
        'pre',
        { class: 'tusk-Sql', attrs: { tabindex: 0, 'aria-label': 'SQL' } },
        highlighted(entry.sql, entry.driver, markOf(entry))
      ),
      facts(entry, this.commands),
      parameters.length > 0 ? list('Parameters', parameters) : '',
      this.plan
    );
    if (isOther) {
      this.node.scrollTop = 0;
    }
  }

  private buttons(entry: ILogEntry): HTMLElement {
    const sql = { sql: entry.sql, connection: entry.connection };
    const command = (id: string) => () => void this.commands.execute(id, sql);
    return h(
      'div',
      { class: 'tusk-Details-actions', attrs: { role: 'toolbar', 'aria-label': 'Actions on this run' } },
      button('Insert at cursor', pasteIcon, command(CommandIDs.insertSql)),
      button('New cell below', addBelowIcon, command(CommandIDs.newCell)),
      button('Open as copy', openKernelSourceIcon, command(CommandIDs.openCopy)),
      button('Run in a new cell', runIcon, command(CommandIDs.runInNewCell)),
      button('Save as query', saveIcon, () => void this.actions.save(entry)),
      button('Copy SQL', copyIcon, () => this.actions.copy(entry)),
      button('Delete from the log', deleteIcon, () => void this.actions.remove(entry))
    );
  }

  private planButton(entry: ILogEntry): HTMLElement {
    const show = () => void this.showPlan(entry);
    return h(
      'button',
      { class: 'tusk-Link', attrs: { type: 'button', 'data-testid': 'tusk-plan' }, on: { click: show } },
      'Show the plan'
    );
  }

  private async showPlan(entry: ILogEntry): Promise<void> {
    const { plan } = this;
    plan.replaceChildren(h('p', { class: 'tusk-Quiet' }, 'Asking the database…'));
    try {
      plan.replaceChildren(
        h('h3', {}, 'Plan'),
        h(
          'pre',
          { class: 'tusk-Sql', attrs: { tabindex: 0 } },
          planText(await this.api.explain(entry.connection, entry.sql))
        )
      );
    } catch (error) {
      const { message, hint } = describeError(error);
      plan.replaceChildren(
        h('div', { class: 'tusk-Error', attrs: { role: 'alert' } }, message, h('div', {}, hint)),
        this.planButton(entry)
      );
    }
  }

  private _run: string | null = null;
  private readonly held = new Held(this.node);
  private plan = h('div');
}

function button(label: string, icon: LabIcon, act: () => void): HTMLElement {
  const element = h('button', {
    class: 'tusk-IconButton',
    title: label,
    attrs: { type: 'button', 'aria-label': label },
    on: { click: event => event.detail > 1 || act() } // a double click runs, or inserts, once
  });
  element.append(icon.element({ tag: 'span' }));
  return element;
}

function markOf(entry: ILogEntry): number | null {
  return entry.error && entry.position !== undefined ? entry.position : null;
}

function errorBox(entry: ILogEntry): HTMLElement {
  const at = markOf(entry);
  const before = at === null ? null : entry.sql.slice(0, at).split('\n');
  const where = before ? `line ${before.length}, column ${before.at(-1)!.length + 1}` : '';
  const more = [where, entry.code && `code ${entry.code}`].filter(Boolean).join(' · ');
  return h('div', { class: 'tusk-Error tusk-Details-error' }, entry.error ?? '', h('div', {}, more));
}

function facts(entry: ILogEntry, commands: CommandRegistry): HTMLElement {
  const { source, cell } = entry;
  const go = () => void commands.execute(CommandIDs.goToOrigin, { source, cell });
  const values: [string, string | HTMLElement][] = [
    ['Started', new Date(entry.started_at).toLocaleString()],
    ['Duration', duration(entry.elapsed_ms)],
    ['Rows', count(entry.rows)],
    ['Changed', count(entry.affected)],
    ['Statements', (entry.statements ?? 0) > 1 ? count(entry.statements) : ''],
    ['From', originLink(source, source, null, go)],
    ['Cell', cell ? originLink(cell, source, cell, go) : ''],
    ['Engine', entry.driver],
    ['Run', entry.run]
  ];
  return list(
    '',
    values.filter(([, value]) => value)
  );
}

function list(caption: string, values: [string, string | HTMLElement][]): HTMLElement {
  const items = values.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]);
  return h('section', {}, caption ? h('h3', {}, caption) : null, h('dl', {}, ...items));
}

function planText(plan: IPlan): string {
  return plan.text || plan.rows.map(cells => cells.map(cell => String(cell ?? '')).join('  ')).join('\n');
}
