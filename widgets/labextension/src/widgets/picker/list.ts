import { Held } from '../../held';
import { reveal } from '../../reveal';
import { h, uid } from './dom';
import { sign, tile } from './glyphs';
import { dot, marks } from './marks';
import type { Line } from './messages';

export interface ListActions {
  pick(line: Line): void;
  /** Another line is looked at. */
  look(name: string): void;
  menu(line: Line, anchor: HTMLElement): void;
  edit(line: Line): void;
  remove(line: Line): void;
}

const FILTER_FROM = 8;

/**
 * The connections as a listbox. Picking is one click, or arrows and Enter; what else can be done with a line stands in a
 * menu beside it, because an option of a listbox may hold no buttons.
 */
export class ConnectionList {
  readonly node: HTMLElement;
  private rows: HTMLElement;
  private options: HTMLElement;
  private buttons: HTMLElement;
  private filter: HTMLInputElement;
  private lines: Line[] = [];
  private shown: Line[] = [];
  private active: string | null = null;
  /** Ids stay with their connections, so that a list that is drawn anew is no news to a screen reader. */
  private ids = new Map<string, string>();
  /** Ids of connections that came while the list was open. */
  private fresh = new Set<string>();
  private held: Held;
  private sought = '';
  private soughtAt = 0;

  constructor(private actions: ListActions) {
    this.options = h('div', {
      class: 'tusk-options',
      role: 'listbox',
      tabindex: 0,
      'aria-label': 'Connections',
      'data-tusk': 'connections',
      onkeydown: (event: KeyboardEvent) => this.press(event),
      onclick: (event: MouseEvent) => this.click(event)
    });
    this.buttons = h('div', { class: 'tusk-row-buttons' });
    this.filter = h('input', {
      class: 'tusk-input tusk-pick-filter',
      type: 'search',
      placeholder: 'Filter by name, place or mark',
      'aria-label': 'Filter the connections',
      'data-tusk': 'filter',
      oninput: () => this.draw(),
      onkeydown: (event: KeyboardEvent) => this.pressInFilter(event)
    });
    this.rows = h('div', { class: 'tusk-rows' }, this.options, this.buttons);
    this.held = new Held(this.rows);
    this.node = h('div', { class: 'tusk-list' }, this.filter, this.rows);
  }

  get names(): string[] {
    return this.lines.filter(line => !line.missing).map(line => line.name);
  }

  get current(): Line | undefined {
    return this.lines.find(line => line.current);
  }

  named(name: string): Line | undefined {
    return this.lines.find(line => line.name === name);
  }

  /**
   * Takes in the list; lines keep their places as long as it is open, for a line that moves away below the pointer makes a
   * click choose another database. New ones come last, and one that is removed stays, greyed.
   *
   * A connection that was renamed has its id still. What came in the place of a removed one, under its name, takes its place.
   */
  update(lines: Line[]): void {
    const active = this.active === null ? undefined : this.named(this.active);
    const here = new Set(this.lines.map(line => line.id));
    const byId = new Map(lines.map(line => [line.id, line]));
    const others = new Map(lines.filter(line => !here.has(line.id)).map(line => [line.name, line]));
    const names = new Set(lines.map(line => line.name));
    const stay = this.lines
      .map(line => byId.get(line.id) ?? others.get(line.name) ?? removed(line))
      .filter(line => !line.missing || line === byId.get(line.id) || !names.has(line.name));
    const added = lines.filter(line => !stay.includes(line));
    if (this.lines.length > 0) {
      added.forEach(line => this.fresh.add(line.id));
    }
    this.lines = [...stay, ...added];
    this.active = (active && byId.get(active.id)?.name) ?? this.active;
    this.draw();
  }

  /** What was removed while the list was open goes when it is opened again; the chosen line stays until another one is. */
  open(): void {
    this.lines = this.lines.filter(line => !line.missing || line.current);
    this.draw();
  }

  /** The sessions of a kernel go with it. */
  forgetSessions(): void {
    this.lines = this.lines.map(line => ({ ...line, state: 'disconnected' }));
    this.draw();
  }

  focus(): void {
    this.options.focus({ preventScroll: true });
  }

  /** The button of a line's menu. */
  button(name: string): HTMLElement | undefined {
    const at = this.shown.findIndex(line => line.name === name);
    return this.buttons.children[at] as HTMLElement | undefined;
  }

  private draw(): void {
    this.held.draw(() => this.drawNow());
  }

  private drawNow(): void {
    const had = document.activeElement === this.options;
    const wanted = this.filter.value.trim().toLowerCase();
    this.filter.hidden = this.lines.length < FILTER_FROM && wanted === '';
    this.shown = this.lines.filter(line => wanted === '' || wordsOf(line).includes(wanted));
    if (!this.shown.some(line => line.name === this.active)) {
      this.active = (this.shown.find(line => line.current) ?? this.shown[0])?.name ?? null;
    }
    this.options.replaceChildren(...this.shown.map(line => this.option(line)));
    this.buttons.replaceChildren(...this.shown.map(line => this.menuButton(line)));
    if (this.shown.length === 0) {
      const words = wanted
        ? 'No connection has these words.'
        : 'No connection yet. Add the first one with the button above.';
      this.options.replaceChildren(h('div', { class: 'tusk-empty' }, words));
    }
    this.mark();
    if (had) {
      this.focus();
    }
  }

  private option(line: Line): HTMLElement {
    return h(
      'div',
      {
        class: `tusk-option${line.missing ? ' tusk-missing' : ''}`,
        role: 'option',
        id: this.idOf(line.id),
        'aria-selected': line.current ? 'true' : 'false',
        'aria-disabled': line.missing ? 'true' : null,
        'data-name': line.name,
        'data-connection': line.id,
        'data-environment': line.environment,
        oncontextmenu: (event: MouseEvent) => {
          event.preventDefault();
          event.stopPropagation();
          this.openMenu(line);
        }
      },
      h('span', { class: 'tusk-tick' }, line.current ? sign('tick') : null),
      line.missing ? h('span', { class: 'tusk-dot' }) : dot(line.state),
      tile(line.driver),
      h(
        'span',
        { class: 'tusk-words' },
        h('span', { class: 'tusk-pick-name', title: line.name }, line.name),
        h('span', { class: 'tusk-target', title: `${line.driver}: ${line.target}` }, line.target)
      ),
      marks(line, this.fresh.has(line.id))
    );
  }

  private idOf(connection: string): string {
    const id = this.ids.get(connection) ?? uid('option');
    this.ids.set(connection, id);
    return id;
  }

  private menuButton(line: Line): HTMLElement {
    return h(
      'button',
      {
        class: 'tusk-icon-button',
        type: 'button',
        title: 'Test, edit, duplicate, delete',
        'aria-label': `Actions for ${line.name}`,
        'aria-haspopup': 'menu',
        'data-tusk': 'actions',
        'data-name': line.name,
        disabled: line.missing,
        onclick: () => this.openMenu(line)
      },
      sign('dots')
    );
  }

  private openMenu(line: Line): void {
    const button = this.button(line.name);
    if (button && !line.missing) {
      this.activate(line.name);
      this.actions.menu(line, button);
    }
  }

  private choose(line: Line): void {
    this.activate(line.name);
    if (!line.missing) {
      this.actions.pick(line);
    }
  }

  /** Between two rows it is given to the list, and chooses nothing. */
  private click({ target }: MouseEvent): void {
    const option = (target as Element).closest<HTMLElement>('[role=option]');
    const line = this.lines.find(({ id }) => id === option?.dataset['connection']);
    if (line) {
      this.choose(line);
    }
  }

  private activate(name: string): void {
    this.active = name;
    this.mark();
    this.actions.look(name);
  }

  /** Says which line is the active one; an update of the list comes here too, so that nothing is scrolled. */
  private mark(): void {
    const options = [...this.options.querySelectorAll<HTMLElement>('[role=option]')];
    const at = options.find(option => option.dataset['name'] === this.active);
    options.forEach(option => option.classList.toggle('tusk-pick-active', option === at));
    if (at) {
      this.options.setAttribute('aria-activedescendant', at.id);
    } else {
      this.options.removeAttribute('aria-activedescendant');
    }
  }

  /** Goes to a line by a key. */
  private goTo(name: string): void {
    this.activate(name);
    const option = this.options.querySelector('.tusk-pick-active');
    if (option) {
      reveal(option, this.rows);
    }
  }

  /** As in the list of a search: down goes into it, Enter takes the line that is marked. */
  private pressInFilter(event: KeyboardEvent): void {
    const line = this.shown.find(({ name }) => name === this.active);
    if (event.key === 'Escape' && this.filter.value !== '') {
      event.stopPropagation(); // it empties the filter, and the focus stays
    } else if (line && event.key === 'ArrowDown') {
      event.preventDefault();
      this.focus();
      this.goTo(line.name);
    } else if (line && event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      this.choose(line);
    }
  }

  private press(event: KeyboardEvent): void {
    const at = this.shown.findIndex(line => line.name === this.active);
    const line = this.shown[at];
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: this.shown.length - 1
    };
    const to = moves[event.key];
    if (to !== undefined) {
      const target = this.shown[Math.min(Math.max(to, 0), this.shown.length - 1)];
      if (target) {
        this.goTo(target.name);
      }
    } else if (line && (event.key === 'Enter' || event.key === ' ')) {
      this.choose(line);
    } else if (line && (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey))) {
      this.openMenu(line);
    } else if (line && !line.missing && event.key === 'F2') {
      this.actions.edit(line);
    } else if (line && !line.missing && event.key === 'Delete') {
      this.actions.remove(line);
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.seek(event.key.toLowerCase());
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Typing a name's beginning goes to it, as in any list. */
  private seek(letter: string): void {
    const now = Date.now();
    this.sought = now - this.soughtAt > 1000 ? letter : this.sought + letter;
    this.soughtAt = now;
    const found = this.shown.find(line => line.name.toLowerCase().startsWith(this.sought));
    if (found) {
      this.goTo(found.name);
    }
  }
}

function removed(line: Line): Line {
  return { ...line, current: false, missing: true, state: 'disconnected' };
}

function wordsOf(line: Line): string {
  const words = [
    line.name,
    line.driver,
    line.target,
    line.environment,
    line.tier,
    line.read_only ? 'read-only' : ''
  ];
  return words.join(' ').toLowerCase();
}
