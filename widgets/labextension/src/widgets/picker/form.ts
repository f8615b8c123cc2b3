import type { Channel } from './channel';
import { wordsOf } from './channel';
import { differing, merged, storedIn, type Entries } from './foreign';
import { folded } from '../../names';
import { visible } from '../../visible';
import { control, segments, textInput, type Control } from './control';
import { h, hasFocus, uid } from './dom';
import { drawField, spans, type DrawnField } from './fields';
import { sign, tile } from './glyphs';
import type {
  Catalog,
  Details,
  Driver,
  FormData,
  Line,
  Saved,
  Suggestion,
  Tested,
  Value,
  WireError
} from './messages';
import { outcome, troubleOf, waitingFor } from './outcome';
import { Rules, RULES } from './rules';
import { fieldsOf, freeName, nameProblem, proposal, URL_WAY, wayOf, waysOf, type Field } from './schema';
import { SecretField } from './secret';

export interface FormStart {
  driver: Driver;
  catalog: Catalog;
  /** Names that are taken. */
  names: string[];
  details?: Details;
  suggestion?: Suggestion;
}

let opened = 0;

/** Adds or changes a connection. What it asks for is the driver's manifest; what it holds goes nowhere but to the kernel. */
export class ConnectionForm {
  readonly node: HTMLElement;
  onClose: () => void = () => undefined;
  onSaved: (saved: Saved) => void = () => undefined;
  onEnvironment: (environment: string | null) => void = () => undefined;

  private id: string;
  private way: string;
  private entries: Entries = new Map();
  private heading = h('h3', { id: uid('heading') });
  /** All that were asked for, also those of another way: what is entered outlives a change of the way. */
  private everySecret = new Map<string, SecretField>();
  private fields: DrawnField[] = [];
  private secrets: SecretField[] = [];
  private secretNames: string[] = [];
  private name: HTMLInputElement;
  private nameControl: Control;
  private rules: Rules;
  private main = h('div', { class: 'tusk-pick-grid' });
  private more = h('div', { class: 'tusk-pick-grid' });
  private result = h('div', { class: 'tusk-result', 'aria-live': 'polite', 'data-tusk': 'result' });
  private buttons: HTMLButtonElement[];
  private isAsking = false;

  constructor(
    private channel: Channel,
    private start: FormStart
  ) {
    opened += 1;
    this.id = `${channel.view}/${opened}`;
    const { driver, details, suggestion } = start;
    const config: Record<string, Value> = details?.connection.config ?? suggestion?.config ?? {};
    this.way = details || suggestion ? wayOf(driver, config) : waysOf(driver)[0]!.name;
    this.entries = storedIn(config);
    this.name = textInput({ 'data-tusk': 'name', placeholder: 'as cells will say it: %%sql NAME' });
    this.name.value = details?.connection.name ?? freeName(suggestion?.name ?? driver.name, start.names);
    this.nameControl = control({ name: 'name', title: 'Name', required: true, span: 3 }, this.name);
    this.name.addEventListener('input', () => this.checkName());
    this.rules = new Rules(details?.connection ?? null, start.catalog.tiers, environment =>
      this.onEnvironment(environment)
    );
    this.buttons = [
      this.button('test', 'Test', 'tusk-pick-button', () => this.test()),
      this.button('save', details ? 'Save' : 'Add', 'tusk-pick-button tusk-primary', () => this.save(true))
    ];
    this.node = this.draw();
    this.drawWay();
  }

  focus(): void {
    this.name.focus({ preventScroll: true });
    this.name.select();
  }

  /** Closes the form; the kernel forgets what was typed. */
  close(): void {
    this.drop();
    this.onClose();
  }

  private drop(): void {
    this.channel.ask('drop', { form: this.id }).catch(() => undefined);
  }

  // --- drawing ---

  private draw(): HTMLElement {
    const { driver } = this.start;
    this.head();
    const ways = waysOf(driver);
    return h(
      'form',
      {
        class: 'tusk-pick-form',
        role: 'dialog',
        'aria-labelledby': this.heading.id,
        'data-tusk': 'form',
        'data-driver': driver.name,
        autocomplete: 'off',
        novalidate: true,
        // What was said of other entries is said no more.
        oninput: () => this.isAsking || this.result.replaceChildren(),
        onsubmit: (event: Event) => {
          event.preventDefault();
          void this.save(true);
        },
        onkeydown: (event: KeyboardEvent) => {
          if (event.key === 'Escape') {
            event.stopPropagation();
            this.close();
          }
        }
      },
      h(
        'header',
        { class: 'tusk-pick-form-head' },
        this.iconButton('back', 'Back to the list', () => this.close()),
        tile(driver.name, 26),
        this.heading
      ),
      h('div', { class: 'tusk-pick-grid' }, this.nameControl.node, this.environmentNote()),
      ways.length > 1
        ? segments(
            { name: 'way', title: 'Sign in with' },
            ways.map(way => ({ value: way.name, title: way.title })),
            this.way,
            way => this.change(way)
          )
        : null,
      this.main,
      this.rules.loud,
      h('details', { class: 'tusk-more', 'data-tusk': 'more' }, h('summary', {}, 'More settings'), this.more),
      this.result,
      h(
        'footer',
        { class: 'tusk-pick-form-foot' },
        ...this.buttons,
        this.button('cancel', 'Cancel', 'tusk-pick-button', () => this.close())
      )
    );
  }

  private head(): void {
    const { driver, details } = this.start;
    const words = details ? `Change ${details.connection.name}` : `New ${driver.title} connection`;
    this.heading.textContent = visible(words);
  }

  private drawWay(): void {
    const fields = this.way === URL_WAY ? [] : fieldsOf(this.start.driver, this.way);
    const plain = fields.filter(field => !field.spec.secret);
    for (const field of plain) {
      const proposed = proposal(this.start.driver, field);
      if (proposed !== undefined && !this.entries.has(field.name)) {
        this.entries.set(field.name, typeof proposed === 'boolean' ? proposed : String(proposed));
      }
    }
    const widths = spans(plain.filter(field => field.main));
    let at = 0;
    this.fields = plain.map(field => drawField(field, this.entries, field.main ? widths[at++]! : 3));
    const secrets = this.way === URL_WAY ? [urlField()] : fields.filter(field => field.spec.secret);
    this.secretNames = secrets.map(field => field.name);
    this.secrets = secrets.map((field, at) => this.drawSecret(field, at === 0 ? 4 : 6));
    const main = new Map(this.fields.filter(one => one.field.main).map(one => [one.field.name, one.node]));
    secrets.forEach((field, at) => main.set(field.name, this.secrets[at]!.node));
    const order =
      this.way === URL_WAY
        ? this.secretNames
        : fields.map(field => field.name).filter(name => main.has(name));
    const nodes = order.map(name => main.get(name)!);
    if (secrets.length) {
      nodes.splice(order.indexOf(this.secretNames[0]!) + 1, 0, this.rules.tierControl(2).node);
    }
    this.main.replaceChildren(...nodes);
    this.tellTier();
    this.more.replaceChildren(
      ...this.fields.filter(one => !one.field.main).map(one => one.node),
      ...this.rules.quiet
    );
  }

  private drawSecret(field: Field, span: number): SecretField {
    const { details, suggestion } = this.start;
    const asked = {
      title: field.spec.title ?? field.name,
      description: field.spec.description,
      required: field.required,
      span
    };
    const known = this.everySecret.get(field.name);
    if (known) {
      known.suit(asked);
      return known;
    }
    const command = field.name === 'password' && details?.password_command;
    const stored =
      details && !details.connection.secret_lost && (command || details.secret_fields.includes(field.name));
    const variable = suggestion?.variables[field.name];
    const drawn = new SecretField({
      ...asked,
      name: field.name,
      source: { source: stored ? 'kept' : variable ? 'environment' : 'typed', variable: variable ?? '' },
      stored: stored ? (command ? 'a command' : (details.connection.credential_tier ?? 'stored')) : null,
      variables: this.variables(field.name),
      changed: () => this.tellTier()
    });
    this.everySecret.set(field.name, drawn);
    return drawn;
  }

  private tellTier(): void {
    this.rules.allowTier(
      this.secrets.some(secret => ['typed', 'environment'].includes(secret.source.source))
    );
  }

  private variables(field: string): string[] {
    return [...new Set(this.start.catalog.suggestions.flatMap(one => one.variables[field] ?? []))];
  }

  private environmentNote(): HTMLElement | null {
    const used = [...new Set(Object.values(this.start.suggestion?.variables ?? {}))];
    if (!used.length) {
      return null;
    }
    return h(
      'p',
      { class: 'tusk-note', style: '--tusk-span: 3' },
      `Filled in from ${used.map(one => `$${one}`).join(', ')}.`
    );
  }

  private change(way: string): void {
    for (const { field } of this.fields) {
      const proposed = proposal(this.start.driver, field);
      if (proposed !== undefined && this.entries.get(field.name) === String(proposed)) {
        this.entries.delete(field.name); // nobody entered it: the folder of a socket is no host
      }
    }
    this.way = way;
    this.drawWay();
  }

  private button(name: string, title: string, style: string, run: () => void): HTMLButtonElement {
    const type = name === 'save' ? 'submit' : 'button';
    return h(
      'button',
      { class: style, type, 'data-tusk': name, ...(type === 'button' ? { onclick: run } : {}) },
      title
    );
  }

  private iconButton(icon: Parameters<typeof sign>[0], title: string, run: () => void): HTMLElement {
    return h(
      'button',
      { class: 'tusk-icon-button', type: 'button', title, 'aria-label': title, onclick: run },
      sign(icon)
    );
  }

  // --- asking the kernel ---

  private async test(): Promise<void> {
    if (!this.check()) {
      return;
    }
    const tested = await this.ask<Tested>('try', 'Signing in …');
    if (tested && !this.complained(tested)) {
      this.result.replaceChildren(outcome(tested));
    }
  }

  private async save(test: boolean): Promise<void> {
    if (!this.check()) {
      return;
    }
    const saved = await this.ask<Saved>('save', test ? 'Signing in, then saving …' : 'Saving …', { test });
    if (!saved || this.complained(saved)) {
      return;
    }
    if (saved.saved) {
      this.onSaved(saved);
      return;
    }
    const anyway = this.button(
      'save-untested',
      'Save without testing',
      'tusk-pick-button',
      () => void this.save(false)
    );
    this.result.replaceChildren(
      outcome(saved, [h('p', { class: 'tusk-note' }, 'Nothing was saved. ', anyway)])
    );
  }

  /** Sends the form; what was typed as a secret leaves the page with it, and its inputs are empty from then on. */
  private async ask<T>(kind: string, words: string, more: object = {}): Promise<T | null> {
    const form = this.data();
    const secrets: Record<string, string> = {};
    this.secrets.forEach((secret, at) => {
      const typed = secret.take();
      if (typed !== null) {
        secrets[this.secretNames[at]!] = typed;
      }
    });
    this.result.replaceChildren(waitingFor(words));
    this.isAsking = true;
    this.buttons.forEach(button => (button.disabled = true));
    try {
      return await this.channel.ask<T>(kind, { form, ...more }, secrets);
    } catch (error) {
      const wire = wordsOf(error);
      this.result.replaceChildren(troubleOf(await this.caughtUp(wire).catch(() => wire)));
      return null;
    } finally {
      this.isAsking = false;
      this.buttons.forEach(button => (button.disabled = false));
    }
  }

  /**
   * Takes in what was changed elsewhere since the form was opened, where that is why nothing was done: what was entered here
   * stays, the rest is shown as it is stored now. Returns what is to be said.
   */
  private async caughtUp(wire: WireError): Promise<WireError> {
    const { details } = this.start;
    if (!details || !['changed_elsewhere', 'no_connection'].includes(wire.scenario ?? '')) {
      return wire;
    }
    const { id, name } = details.connection;
    const { lines } = await this.channel.ask<{ lines: Line[] }>('watch', { view: this.channel.view });
    const there = lines.filter(line => !line.missing);
    const line = there.find(one => one.id === id) ?? there.find(one => one.name === name);
    const now = line && (await this.channel.ask<Details>('edit', { name: line.name }));
    this.start.names = there.map(one => one.name);
    if (now?.connection.driver !== this.start.driver.name) {
      delete this.start.details;
      this.redraw();
      const what = now ? `is another database's connection now (${now.connection.driver})` : 'was removed';
      const hint = `What you entered stays; Save adds it as a new connection${now ? ' of another name' : ''}.`;
      return { message: `${name} ${what}, elsewhere, after this form was opened; nothing was saved.`, hint };
    }
    const words = this.takeIn(details, now).join(', ');
    const hint = `${words ? `As stored now: ${words}. ` : ''}What you entered stays: look at it, then save again.`;
    return { message: `${name} was changed elsewhere after this form was opened; nothing was saved.`, hint };
  }

  /** Returns the titles of what was changed elsewhere and nowhere else. */
  private takeIn(before: Details, now: Details): string[] {
    const [was, is] = [before.connection, now.connection];
    const [old, stored] = [storedIn(was.config), storedIn(is.config)];
    const mine = this.entries;
    const ruled = { ...this.rules.value() };
    const found: string[] = [];
    const isMine = (name: string): boolean => mine.has(name) && mine.get(name) !== (old.get(name) ?? '');
    for (const name of differing(old, stored).filter(one => !isMine(one))) {
      found.push(this.start.driver.fields.properties?.[name]?.title ?? name);
    }
    for (const [name, title] of Object.entries(RULES) as [keyof typeof RULES, string][]) {
      if (is[name] !== was[name] && ruled[name] === was[name]) {
        Object.assign(ruled, { [name]: is[name] });
        found.push(title);
      }
    }
    this.start.details = now;
    this.entries = merged(mine, old, stored);
    this.way =
      this.way === wayOf(this.start.driver, was.config) ? wayOf(this.start.driver, is.config) : this.way;
    if (this.name.value.trim() === was.name && is.name !== was.name) {
      this.name.value = is.name;
      found.push('Name');
    }
    this.redraw();
    this.rules.show(ruled);
    return found;
  }

  /** Shows what is stored as it is now; a secret that was entered here stays. */
  private redraw(): void {
    this.everySecret.forEach((secret, name) => secret.isEntered || this.everySecret.delete(name));
    this.head();
    this.drawWay();
  }

  private data(): FormData {
    const config: Record<string, Value> = {};
    for (const field of this.fields) {
      const value = field.value();
      if (value !== undefined) {
        config[field.field.name] = value;
      }
    }
    return {
      id: this.id,
      driver: this.start.driver.name,
      way: this.way,
      name: this.name.value.trim(),
      original: this.start.details?.connection.name ?? null,
      seen: this.start.details?.connection.updated_at ?? null,
      config,
      secrets: Object.fromEntries(this.secrets.map((secret, at) => [this.secretNames[at]!, secret.source])),
      ...this.rules.value()
    };
  }

  // --- checking ---

  private check(): boolean {
    const checks = [
      this.checkName(),
      this.rules.check(),
      ...this.fields.map(one => one.check()),
      ...this.secrets.map(one => one.check())
    ];
    const good = checks.every(Boolean);
    this.result.replaceChildren();
    if (!good) {
      this.showFirstProblem();
    }
    return good;
  }

  private checkName(): boolean {
    const own = this.start.details?.connection.name ?? '';
    const problem = nameProblem(
      this.name.value.trim(),
      this.start.names.filter(name => folded(name) !== folded(own))
    );
    this.nameControl.complain(problem);
    return problem === null;
  }

  /** Shows what the kernel found wrong; returns whether there was anything. */
  private complained(answer: Tested): boolean {
    const problems = answer.problems ?? {};
    if (!Object.keys(problems).length) {
      return false;
    }
    this.nameControl.complain(problems['name'] ?? null);
    this.rules.complain(problems);
    this.fields.forEach(one => one.complain(problems[one.field.name] ?? null));
    this.secrets.forEach((one, at) => one.complain(problems[this.secretNames[at]!] ?? null));
    this.result.replaceChildren();
    this.showFirstProblem();
    return true;
  }

  /** Where it is, and again beside the buttons, where one looks after a press. */
  private showFirstProblem(): void {
    const wrong = this.node.querySelector<HTMLElement>('[aria-invalid=true]');
    const row = wrong?.closest<HTMLElement>('[data-field-row]');
    const message = row?.querySelector('.tusk-pick-problem')?.textContent;
    if (message) {
      this.result.replaceChildren(troubleOf({ message }));
    }
    wrong?.closest('details')?.setAttribute('open', '');
    if (hasFocus(this.node)) {
      wrong?.focus();
    }
  }
}

function urlField(): Field {
  const spec = {
    type: 'string',
    title: 'Connection URL',
    description: 'As scheme://user:password@host:port/database; treated as a secret, for it may hold one.',
    secret: true
  };
  return { name: URL_WAY, spec, required: true, main: true };
}
