/** What can be done with the log and its entries; whatever takes something away asks first. */
import {
  Clipboard,
  Dialog,
  InputDialog,
  Notification,
  showDialog,
  showErrorMessage
} from '@jupyterlab/apputils';

import { Api, ApiError, describeError, ILogFilter } from '../api';
import { h } from '../dom';
import { ILogEntry } from '../messages';
import { LogModel } from './model';
import { RetentionForm } from './retention';

const TAKEN = 409;

export class LogActions {
  constructor(
    private readonly api: Api,
    private readonly model: LogModel,
    private readonly removed: (run: string) => void
  ) {}

  copy(entry: ILogEntry): void {
    Clipboard.copyToSystem(entry.sql);
  }

  async save(entry: ILogEntry): Promise<void> {
    const { value, button } = await InputDialog.getText({
      title: 'Save as Query',
      label: 'Name',
      placeholder: 'Name of the query', // without one, Lab shows the empty field as wrong before anything is typed
      okLabel: 'Save',
      required: true
    });
    const name = value?.trim();
    if (!button.accept || !name) {
      return;
    }
    const query = { name, sql: entry.sql, connection: entry.connection };
    await this.attempt('The query was not saved', async () => {
      try {
        await this.api.saveQuery(query);
      } catch (error) {
        if (!(error instanceof ApiError && error.status === TAKEN)) {
          throw error;
        }
        if (
          !(await confirmed(
            'Replace Saved Query',
            `There is a query “${name}” already. Replace it?`,
            'Replace'
          ))
        ) {
          return;
        }
        await this.api.saveQuery({ ...query, replace: true });
      }
      Notification.success(`Saved as “${name}”; it stands in the Tusk panel.`, { autoClose: 3000 });
    });
  }

  async remove(entry: ILogEntry): Promise<void> {
    const question = 'Delete this run from the query log? This cannot be undone.';
    if (await confirmed('Delete Run', question, 'Delete')) {
      await this.attempt('The run was not deleted', async () => {
        await this.model.remove(entry.run);
        this.removed(entry.run);
      });
    }
  }

  /** Download all that match, not only what is shown. */
  export(format: string, filter: ILogFilter): void {
    const link = h('a', { attrs: { href: this.api.exportUrl(format, filter), download: '' } });
    document.body.append(link);
    link.click();
    link.remove();
  }

  /** Ask for how long the log is kept. */
  async retention(): Promise<void> {
    await this.attempt('The retention was not changed', async () => {
      const body = new RetentionForm(await this.api.preferences());
      const { button, value } = await showDialog({
        title: 'Retention of the Query Log',
        body,
        focusNodeSelector: 'input',
        buttons: [
          Dialog.warnButton({ label: 'Delete All…', actions: ['clear'] }),
          Dialog.cancelButton(),
          Dialog.okButton({ label: 'Save' })
        ]
      });
      if (button.actions.includes('clear')) {
        await this.clear();
      } else if (button.accept && value) {
        for (const [name, text] of Object.entries(value)) {
          await this.api.setPreference(name, text);
        }
        await this.model.reload();
      }
    });
  }

  private async clear(): Promise<void> {
    const question = 'Delete all ended runs from the query log? This cannot be undone.';
    if (await confirmed('Delete the Query Log', question, 'Delete All')) {
      const entries = await this.api.deleteLog();
      Notification.success(`${entries.toLocaleString()} runs deleted.`, { autoClose: 3000 });
      await this.model.reload();
    }
  }

  private async attempt(title: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const { message, hint } = describeError(error);
      void showErrorMessage(title, [message, hint].filter(Boolean).join('\n'));
    }
  }
}

async function confirmed(title: string, body: string, label: string): Promise<boolean> {
  const buttons = [Dialog.cancelButton(), Dialog.warnButton({ label })];
  return (await showDialog({ title, body, buttons, defaultButton: 0 })).button.accept;
}
