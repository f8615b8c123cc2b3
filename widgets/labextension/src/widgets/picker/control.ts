import { visible } from '../../visible';
import { h, uid } from './dom';

/** One labelled input of a form, with its description and a place for what is wrong with it. */
export interface Control {
  node: HTMLElement;
  input: HTMLElement;
  /**
   * Shows what is wrong, or nothing more; in the room of the description. `brief` keeps to that room, so that nothing moves
   * below the pointer when a field is left.
   */
  complain(problem: string | null, brief?: boolean): void;
}

export interface Labels {
  name: string;
  title: string;
  description?: string | undefined;
  required?: boolean;
  /** Columns of the form's six. */
  span?: number;
  /** Whether it may complain when it is left, and so keeps room for that. */
  checked?: boolean;
}

type Input = HTMLInputElement | HTMLSelectElement;

/** Puts a label above an input, or beside a check box; `beside` stands right of the input. */
export function control(labels: Labels, input: Input, beside: HTMLElement[] = []): Control {
  const id = uid('field');
  const check = input instanceof HTMLInputElement && input.type === 'checkbox';
  const problem = h('span', { class: 'tusk-pick-problem', id: `${id}-problem`, role: 'alert' });
  const about = h('span', { class: 'tusk-about', id: `${id}-about` }, labels.description ?? '');
  input.id = id;
  input.dataset['field'] = labels.name;
  input.setAttribute('aria-describedby', `${id}-about ${id}-problem`);
  if (labels.required) {
    input.setAttribute('aria-required', 'true');
  }
  const label = h(
    'label',
    { for: id, class: 'tusk-label' },
    labels.title,
    labels.required ? h('span', { class: 'tusk-star', 'aria-hidden': 'true' }, ' *') : null
  );
  const line = check
    ? h('div', { class: 'tusk-check' }, input, label)
    : h('div', { class: 'tusk-line' }, input, ...beside);
  const node = h(
    'div',
    { class: 'tusk-control', 'data-field-row': labels.name, style: `--tusk-span: ${labels.span ?? 3}` },
    check ? null : label,
    line,
    h('div', { class: `tusk-below${labels.checked ? ' tusk-below-checked' : ''}` }, about, problem)
  );
  return {
    node,
    input,
    complain(words, brief = false) {
      problem.textContent = visible(words ?? '');
      problem.title = problem.textContent;
      problem.classList.toggle('tusk-brief', brief);
      input.toggleAttribute('aria-invalid', false);
      if (words) {
        input.setAttribute('aria-invalid', 'true');
      }
    }
  };
}

export function textInput(
  attributes: Record<string, string | number | boolean | null | undefined> = {}
): HTMLInputElement {
  return h('input', {
    class: 'tusk-input',
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    ...attributes
  });
}

export function select(
  choices: { value: string; title: string; disabled?: boolean }[],
  value: string
): HTMLSelectElement {
  const made = h(
    'select',
    { class: 'tusk-input' },
    ...choices.map(choice => h('option', { value: choice.value, disabled: choice.disabled }, choice.title))
  );
  made.value = value;
  return made;
}

/** One of a few, side by side: a group of radio buttons, which brings its own keyboard. */
export function segments(
  labels: { name: string; title: string },
  choices: { value: string; title: string; class?: string }[],
  value: string,
  changed: (value: string) => void
): HTMLElement {
  const group = uid('segments');
  return h(
    'fieldset',
    { class: 'tusk-segments', 'data-tusk': labels.name },
    h('legend', { class: 'tusk-label' }, labels.title),
    h(
      'div',
      { class: 'tusk-segments-row' },
      ...choices.map(choice => {
        const input = h('input', {
          type: 'radio',
          name: group,
          value: choice.value,
          id: uid('segment'),
          onchange: () => changed(choice.value)
        });
        input.checked = choice.value === value;
        return h(
          'span',
          { class: `tusk-segment ${choice.class ?? ''}` },
          input,
          h('label', { for: input.id }, choice.title)
        );
      })
    )
  );
}
