/** How long the query log is kept: the form of a dialog. */
import { Dialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { h } from '../dom';
import { IPreference } from '../messages';

type Preferences = Record<'log_keep_days' | 'log_keep_rows', string>;

export class RetentionForm extends Widget implements Dialog.IBodyWidget<Preferences> {
  constructor(preferences: readonly IPreference[]) {
    const value = (name: string) => String(preferences.find(each => each.name === name)?.value ?? 0);
    const days = number(value('log_keep_days'));
    const rows = number(value('log_keep_rows'));
    super({
      node: h(
        'div',
        { class: 'tusk-Retention' },
        h('label', {}, 'Keep runs for this many days', days),
        h('label', {}, 'Keep at most this many runs', rows),
        h('p', {}, '0 keeps them for ever. What is older, or more, is deleted for good.')
      )
    });
    this.days = days;
    this.rows = rows;
  }

  getValue(): Preferences {
    const text = (input: HTMLInputElement) => String(Math.max(0, Math.floor(input.valueAsNumber || 0)));
    return { log_keep_days: text(this.days), log_keep_rows: text(this.rows) };
  }

  private readonly days: HTMLInputElement;
  private readonly rows: HTMLInputElement;
}

function number(value: string): HTMLInputElement {
  return h('input', { class: 'jp-mod-styled', attrs: { type: 'number', min: 0, step: 1, value } });
}
