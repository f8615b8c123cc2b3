/** The section of saved queries. */
import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { deleteIcon } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { Api, describeError } from '../api';
import { Changes } from '../changes';
import { h } from '../dom';
import { Held } from '../held';
import { queryIcon } from '../icons';
import { ISavedQuery } from '../messages';
import { CommandIDs } from '../tokens';
import { visible } from '../visible';

export class SavedQueries extends Widget {
  constructor(
    private readonly api: Api,
    changes: Changes,
    private readonly commands: CommandRegistry
  ) {
    super();
    this.addClass('tusk-Queries');
    this.title.label = 'Saved Queries';
    changes.changed.connect((_, topics) => {
      if (topics.has('queries') && this.isVisible) {
        void this.refresh();
      }
    });
  }

  async refresh(): Promise<void> {
    try {
      this.draw(await this.api.queries());
    } catch (error) {
      this.node.replaceChildren(h('p', { class: 'tusk-Quiet' }, describeError(error).message));
    }
  }

  protected onAfterShow(): void {
    void this.refresh();
  }

  private draw(queries: ISavedQuery[]): void {
    this.held.draw(() =>
      this.node.replaceChildren(
        queries.length === 0
          ? h('p', { class: 'tusk-Quiet' }, 'Queries that you save from the query log appear here.')
          : h('ul', { attrs: { 'aria-label': 'Saved queries' } }, ...queries.map(query => this.row(query)))
      )
    );
  }

  private row(query: ISavedQuery): HTMLElement {
    const insert = (event: MouseEvent) =>
      event.detail > 1 || // a double click, as tables in the tree take one, inserts once
      void this.commands.execute(CommandIDs.insertSql, {
        sql: query.sql,
        connection: query.connection ?? null,
        strict: false
      });
    const open = h(
      'button',
      { class: 'tusk-Query', title: `Insert into the notebook\n\n${query.sql}`, on: { click: insert } },
      queryIcon.element({ tag: 'span', className: 'tusk-TreeItem-icon' }),
      h('span', { class: 'tusk-TreeItem-name' }, query.name),
      h('span', { class: 'tusk-TreeItem-more' }, query.connection ?? '')
    );
    const remove = h('button', {
      class: 'tusk-IconButton',
      title: 'Delete this saved query',
      attrs: { 'aria-label': `Delete saved query ${query.name}` },
      on: { click: () => void this.remove(query) }
    });
    remove.append(deleteIcon.element({ tag: 'span' }));
    return h('li', { attrs: { 'data-name': query.name } }, open, remove);
  }

  private async remove(query: ISavedQuery): Promise<void> {
    const answer = await showDialog({
      title: 'Delete Saved Query',
      body: visible(`Delete “${query.name}”? This cannot be undone.`),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Delete' })]
    });
    if (answer.button.accept) {
      try {
        await this.api.deleteQuery(query.name);
        await this.refresh();
      } catch (error) {
        void showErrorMessage('The saved query was not deleted', describeError(error).message);
      }
    }
  }

  private readonly held = new Held(this.node);
}
