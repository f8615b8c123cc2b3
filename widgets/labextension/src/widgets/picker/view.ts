import { keepKeys } from '../../keys';
import { beginPick } from '../../picks';
import { visible } from '../../visible';
import { hasEnded, linkProblem } from '../link';
import { wordsOf, type Channel } from './channel';
import { chooser } from './chooser';
import { askCopyName, confirmRemoval } from './dialogs';
import { h, hasFocus } from './dom';
import { ConnectionForm, type FormStart } from './form';
import { sign } from './glyphs';
import { ConnectionList } from './list';
import { openMenu } from './menu';
import type { Catalog, Details, Line, Removed, Saved, Tested } from './messages';
import { outcome, troubleOf, waitingFor } from './outcome';

const PATIENCE_MS = 4000;
/** How long a choice may take before a word is said. */
const SILENCE_MS = 1500;

/** The card: the list, or what is open in its place (adding, a form, a question). */
export class PickerView {
  readonly node: HTMLElement;
  private list: ConnectionList;
  private body = h('div', { class: 'tusk-body' });
  private status = h('div', {
    class: 'tusk-status',
    role: 'status',
    'aria-live': 'polite',
    'data-tusk': 'status'
  });
  private summary = h('span', { class: 'tusk-summary', 'data-tusk': 'current' });
  private add: HTMLButtonElement;
  private heard = false;
  /** The connection that the words below are about. */
  private about: string | null = null;
  /** Whether they say that it is the chosen one. */
  private saysCurrent = false;
  /** The connection of which they say that it could not be chosen. */
  private refused: string | null = null;
  private picks = 0;
  private problem: string | null = null;

  constructor(
    private channel: Channel,
    private chosen: string | null
  ) {
    this.list = new ConnectionList({
      pick: line => void this.pick(line),
      look: name => this.forgetWordsOf(other => other !== name),
      menu: (line, anchor) => this.menu(line, anchor),
      edit: line => void this.edit(line),
      remove: line => this.remove(line)
    });
    this.add = h(
      'button',
      { class: 'tusk-pick-button', type: 'button', 'data-tusk': 'add', onclick: () => void this.choose() },
      sign('plus'),
      'Add'
    );
    this.node = h(
      'div',
      {
        class: 'tusk-picker',
        'data-tusk': 'picker'
      },
      h('header', { class: 'tusk-head' }, h('strong', {}, 'Connection'), this.summary, this.add),
      this.body,
      this.status
    );
    keepKeys(this.node);
    channel.onLines = lines => this.update(lines);
    channel.onTrouble = error => this.say(troubleOf(wordsOf(error)));
    channel.link.listen(() => this.follow(), channel.signal);
  }

  start(): void {
    this.showList();
    this.channel.watch();
    setTimeout(() => {
      if (!this.heard) {
        const last = this.chosen ? `${this.chosen} was chosen here. ` : '';
        const why = this.channel.link.isBusy
          ? 'The kernel is running something; the list comes after it.'
          : 'The kernel does not answer. Run the cell again.';
        this.say(last + why);
      }
    }, PATIENCE_MS);
  }

  /** Say how the kernel is; without one nothing can be chosen. */
  private follow(): void {
    const problem = linkProblem(this.channel.link);
    const isEnded = hasEnded(this.channel.link);
    this.node.classList.toggle('tusk-picker-ended', isEnded);
    this.body.inert = isEnded;
    this.add.disabled = isEnded;
    if (isEnded) {
      this.channel.abandon();
      this.list.forgetSessions();
    }
    if (problem !== null) {
      this.problem = problem;
      this.say(troubleOf({ message: problem }));
    } else if (this.problem !== null) {
      this.problem = null;
      this.status.replaceChildren();
      this.channel.watch();
    }
  }

  private update(lines: Line[]): void {
    if (!this.heard) {
      this.heard = true;
      this.status.replaceChildren();
    }
    this.list.update(lines);
    const current = this.list.current;
    if (this.isListOpen) {
      this.frame(current?.environment ?? null);
    }
    if (this.saysCurrent) {
      this.forgetWordsOf(name => name !== current?.name || current.missing); // chosen or removed elsewhere since
    }
    if (current && this.refused === current.name) {
      this.sayChosen(current.name); // it was chosen after all
    }
    const removed = current?.missing ? ' (removed)' : '';
    this.summary.textContent = current ? visible(current.name) + removed : 'none chosen';
  }

  // --- what is shown ---

  private get isListOpen(): boolean {
    return this.list.node.parentElement === this.body;
  }

  /** The bar at the side says which environment what is open belongs to: the chosen connection's, or that of the form. */
  private frame(environment: string | null): void {
    this.node.dataset['environment'] = environment ?? '';
  }

  private showList(focus = false): void {
    const isHere = hasFocus(this.node);
    this.list.open();
    this.body.replaceChildren(this.list.node);
    this.frame(this.list.current?.environment ?? null);
    this.add.hidden = false;
    if (focus && isHere) {
      this.list.focus();
    }
  }

  private show(node: HTMLElement, environment: string | null = null): void {
    this.body.replaceChildren(node);
    this.frame(environment);
    this.add.hidden = true;
    this.say();
  }

  private say(...words: (string | Node)[]): void {
    this.status.replaceChildren(...words);
    [this.about, this.saysCurrent, this.refused] = [null, false, null];
  }

  /** Says something of one connection, which goes when another one is looked at. */
  private sayOf(name: string, ...words: (string | Node)[]): void {
    this.say(...words);
    this.about = name;
  }

  private forgetWordsOf(isMeant: (name: string) => boolean): void {
    if (this.about !== null && isMeant(this.about)) {
      this.say();
    }
  }

  /** Asks the kernel; what goes wrong is said below the list. */
  private async ask<T>(
    kind: string,
    body: { name?: string; connection?: string; new_name?: string },
    words: string | null
  ): Promise<T | null> {
    const say = (...said: (string | Node)[]) =>
      body.name ? this.sayOf(body.name, ...said) : this.say(...said);
    if (words) {
      say(waitingFor(words));
    }
    try {
      return await this.channel.ask<T>(kind, body);
    } catch (error) {
      say(troubleOf(wordsOf(error)));
      return null;
    }
  }

  // --- actions ---

  /** Of several choices that are under way, the words are about the last one. */
  private async pick(line: Line): Promise<void> {
    const { name } = line;
    const number = ++this.picks;
    const words = this.channel.link.isBusy
      ? `The kernel is running something; ${name} is chosen after it.`
      : `Waiting for the core to choose ${name} …`;
    const say = (...said: (string | Node)[]): void => {
      if (number === this.picks) {
        this.sayOf(name, ...said);
      }
    };
    const timer = setTimeout(() => say(waitingFor(words)), SILENCE_MS);
    try {
      this.update(await this.channel.pick(line));
      if (number === this.picks) {
        this.sayChosen(this.list.current?.name ?? name);
      }
    } catch (error) {
      say(troubleOf(wordsOf(error)));
      this.refused = number === this.picks ? name : this.refused;
    } finally {
      clearTimeout(timer);
    }
  }

  private sayChosen(name: string): void {
    this.sayOf(name, `${name} is this notebook's connection: cells with %%sql use it.`);
    this.saysCurrent = true;
  }

  private menu(line: Line, anchor: HTMLElement): void {
    openMenu(this.node, anchor, [
      { name: 'menu-test', title: 'Test', icon: 'bolt', run: () => void this.test(line) },
      { name: 'menu-edit', title: 'Edit', icon: 'pencil', run: () => void this.edit(line) },
      { name: 'menu-duplicate', title: 'Duplicate', icon: 'copy', run: () => this.duplicate(line) },
      { name: 'menu-delete', title: 'Delete', icon: 'trash', run: () => this.remove(line) }
    ]);
  }

  private async test(line: Line): Promise<void> {
    const tested = await this.ask<Tested>('test', ofRow(line), `Testing ${line.name} …`);
    if (tested) {
      this.sayOf(line.name, h('div', { class: 'tusk-tested' }, h('strong', {}, line.name), outcome(tested)));
    }
  }

  private async choose(): Promise<void> {
    const catalog = await this.ask<Catalog>('catalog', {}, 'Looking for drivers …');
    if (!catalog) {
      return;
    }
    const isHere = hasFocus(this.node);
    const node = chooser(catalog, {
      driver: driver => this.open({ driver, catalog, names: this.list.names }),
      suggestion: (suggestion, driver) => this.open({ driver, catalog, suggestion, names: this.list.names }),
      close: () => this.back()
    });
    this.show(node);
    if (isHere) {
      node
        .querySelector<HTMLElement>('.tusk-pick-chip, .tusk-driver:not([disabled])')
        ?.focus({ preventScroll: true });
    }
  }

  private async edit(line: Line): Promise<void> {
    const details = await this.ask<Details>('edit', ofRow(line), `Reading ${line.name} …`);
    const catalog = details && (await this.ask<Catalog>('catalog', {}, null));
    const driver = catalog?.drivers.find(one => one.name === details?.connection.driver);
    if (!details || !catalog) {
      return;
    }
    if (!driver) {
      this.say(
        troubleOf({ message: `The driver ${details.connection.driver} of ${line.name} is not installed.` })
      );
      return;
    }
    this.open({ driver, catalog, details, names: this.list.names });
  }

  private open(start: FormStart): void {
    const isHere = hasFocus(this.node);
    const form = new ConnectionForm(this.channel, start);
    form.onClose = () => this.back();
    form.onSaved = saved => this.saved(saved, start);
    form.onEnvironment = environment => this.frame(environment);
    this.show(form.node, start.details?.connection.environment ?? null);
    if (isHere) {
      form.focus();
    }
  }

  private saved(saved: Saved, start: FormStart): void {
    if (saved.lines) {
      this.update(saved.lines);
      beginPick(this.channel.link.kernelId)(); // a new one is chosen with that
    }
    this.showList(true);
    const line = this.list.named(saved.name ?? '');
    const kept = line?.tier
      ? line.tier === 'command'
        ? ' Its password comes from a command.'
        : ` Its secret is in: ${line.tier}.`
      : '';
    const now = line?.current ? ` Cells with %%sql use it.` : '';
    const words = `${saved.name} is ${start.details ? 'saved' : 'added'}.${now}${kept}`;
    this.sayOf(
      saved.name ?? '',
      words,
      ...(saved.notices ?? []).map(notice => h('div', { class: 'tusk-note' }, notice))
    );
  }

  private duplicate(line: Line): void {
    this.show(
      askCopyName(line, this.list.names, name => {
        this.back();
        if (name) {
          void this.ask<{ name: string; lines: Line[] }>(
            'duplicate',
            { ...ofRow(line), new_name: name },
            'Copying …'
          ).then(answer => {
            if (answer) {
              this.update(answer.lines);
              this.say(`${answer.name} is a copy of ${line.name}.`);
            }
          });
        }
      }),
      line.environment
    );
  }

  private remove(line: Line): void {
    this.show(
      confirmRemoval(line, yes => {
        this.back();
        if (yes) {
          void this.ask<Removed>('remove', ofRow(line), `Deleting ${line.name} …`).then(gone => {
            if (gone) {
              this.update(gone.lines);
              this.say(removalWords(gone));
            }
          });
        }
      }),
      line.environment
    );
  }

  private back(): void {
    this.say();
    this.showList(true);
  }
}

/** The connection that a row shows, whatever has its name by now. */
function ofRow({ id, name }: Line): { name: string; connection: string } {
  return { name, connection: id };
}

function removalWords(gone: Removed): string {
  const parts = [
    ...(gone.tiers.length ? [`its secret (${gone.tiers.join(', ')})`] : []),
    ...(gone.sessions ? [`${gone.sessions} open session${gone.sessions === 1 ? '' : 's'}`] : [])
  ];
  return `Deleted ${gone.name}${parts.length ? ` with ${parts.join(' and ')}` : ''}. The query log keeps its rows.`;
}
