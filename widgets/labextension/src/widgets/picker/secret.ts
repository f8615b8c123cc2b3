import { control, select, textInput, type Control } from './control';
import { h, uid } from './dom';
import { sign } from './glyphs';
import type { Source, SourceKind } from './messages';

/** What a secret field knows when it is drawn. */
export interface SecretStart {
  name: string;
  title: string;
  description?: string | undefined;
  required?: boolean;
  source: Source;
  /** Where a stored one is; null when none is stored. */
  stored: string | null;
  /** Variables of the kernel's environment that may hold one. */
  variables: string[];
  span: number;
  changed(): void;
}

type Suited = Pick<SecretStart, 'title' | 'description' | 'required' | 'span'>;

/**
 * A secret: typed here, from the environment, from a command, or the stored one. What is typed is taken out of the page
 * with `take`, once; then the field only says that the kernel has it.
 */
export class SecretField {
  readonly node: HTMLElement;
  private kind: SourceKind;
  private variable: string;
  private command: string;
  private typed = '';
  /** Whether the kernel holds one that was typed. */
  private held = false;
  private inner!: Control;

  constructor(private start: SecretStart) {
    this.kind = start.source.source;
    this.variable = start.source.variable ?? '';
    this.command = start.source.command ?? '';
    this.node = h('div', {
      class: 'tusk-secret',
      style: `--tusk-span: ${start.span}`,
      'data-secret': start.name
    });
    this.draw();
  }

  get source(): Source {
    if (this.kind === 'environment') {
      return { source: 'environment', variable: this.variable.trim().replace(/^\$/, '') };
    }
    return this.kind === 'command' ? { source: 'command', command: this.command } : { source: this.kind };
  }

  /** Draws it as another way to sign in asks for it; what was entered stays. */
  suit({ title, description, required, span }: Suited): void {
    Object.assign(this.start, { title, description, required, span });
    this.node.style.setProperty('--tusk-span', String(span));
    this.draw();
  }

  /** Whether anything was entered or chosen here. */
  get isEntered(): boolean {
    const { source, variable, command } = this.start.source;
    const isOther = this.variable !== (variable ?? '') || this.command !== (command ?? '');
    return this.typed !== '' || this.held || isOther || this.kind !== source;
  }

  /** Takes what was typed out of the page; null when nothing was. */
  take(): string | null {
    if (this.kind !== 'typed' || this.typed === '') {
      return null;
    }
    const { typed } = this;
    this.typed = '';
    this.held = true;
    this.draw();
    return typed;
  }

  complain(problem: string | null): void {
    this.inner.complain(problem);
  }

  check(): boolean {
    const nothing = this.kind === 'none' || (this.kind === 'typed' && this.typed === '' && !this.held);
    const problem = this.start.required && nothing ? `${this.start.title} is needed.` : null;
    this.complain(problem);
    return problem === null;
  }

  private draw(): void {
    const { name, title, description, required } = this.start;
    const [input, ...beside] = this.inputs();
    this.inner = control(
      { name, title, description: this.about() ?? description, required: required ?? false, span: 6 },
      input,
      [...beside, this.sources()]
    );
    this.node.replaceChildren(this.inner.node);
  }

  private about(): string | undefined {
    const words: Partial<Record<SourceKind, string>> = {
      environment: 'Read in the kernel when you test or save; the page never sees its value.',
      command: 'Its first line of output is the password; run anew at each sign-in.',
      none: this.start.stored ? 'What is stored is deleted when you save.' : undefined
    };
    return words[this.kind];
  }

  private inputs(): [HTMLInputElement, ...HTMLElement[]] {
    switch (this.kind) {
      case 'environment':
        return this.variableInput();
      case 'command':
        return [this.commandInput()];
      case 'kept':
        return [this.words(`The stored one stays (${this.start.stored ?? 'stored'})`)];
      case 'none':
        return [this.words('None')];
      default:
        return this.typedInput();
    }
  }

  private typedInput(): [HTMLInputElement, HTMLElement] {
    const input = textInput({
      type: 'password',
      autocomplete: 'new-password',
      placeholder: this.held ? 'Typed; the kernel holds it until you save' : null,
      'data-typed': true,
      'data-1p-ignore': true,
      'data-lpignore': 'true'
    });
    input.value = this.typed;
    for (const type of ['input', 'change']) {
      input.addEventListener(type, () => (this.typed = input.value)); // a password manager may send one only
    }
    const reveal = h(
      'button',
      {
        class: 'tusk-icon-button',
        type: 'button',
        title: 'Show what is typed',
        'aria-label': `Show ${this.start.title}`,
        'aria-pressed': 'false',
        onclick: () => {
          input.type = input.type === 'password' ? 'text' : 'password';
          reveal.setAttribute('aria-pressed', String(input.type === 'text'));
        }
      },
      sign('eye')
    );
    return [input, reveal];
  }

  private variableInput(): [HTMLInputElement, HTMLElement] {
    const list = h(
      'datalist',
      { id: uid('variables') },
      ...this.start.variables.map(value => h('option', { value }))
    );
    const input = textInput({ list: list.id, placeholder: 'PGPASSWORD' });
    input.value = this.variable;
    input.addEventListener('input', () => {
      this.variable = input.value;
    });
    return [input, list];
  }

  private commandInput(): HTMLInputElement {
    const input = textInput({ placeholder: 'pass show db/shop', class: 'tusk-input tusk-path' });
    input.value = this.command;
    input.addEventListener('input', () => {
      this.command = input.value;
    });
    return input;
  }

  private words(text: string): HTMLInputElement {
    const input = textInput({ readonly: true, class: 'tusk-input tusk-still' });
    input.value = text;
    return input;
  }

  private sources(): HTMLElement {
    const choices: { value: SourceKind; title: string }[] = [
      ...(this.start.stored ? [{ value: 'kept' as const, title: 'Stored' }] : []),
      { value: 'typed', title: 'Typed' },
      { value: 'environment', title: 'Environment' },
      ...(this.start.name === 'password' ? [{ value: 'command' as const, title: 'Command' }] : []),
      { value: 'none', title: 'None' }
    ];
    const made = select(choices, this.kind);
    made.classList.add('tusk-source');
    made.setAttribute('aria-label', `Where ${this.start.title} comes from`);
    made.dataset['tusk'] = 'source';
    made.addEventListener('change', () => {
      this.kind = made.value as SourceKind;
      this.start.changed();
      this.draw();
      this.node.querySelector<HTMLElement>('[data-tusk=source]')?.focus();
    });
    return made;
  }
}
