// Elements made of text: nothing here reads markup, whatever a value or a name holds.
import { visible, visibleAttribute } from '../../visible';

export type Child = Node | string | null;

interface Properties {
  className?: string;
  title?: string;
  label?: string;
  attributes?: Record<string, string>;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = properties.className ?? '';
  if (properties.title !== undefined) {
    made.title = visible(properties.title);
  }
  if (properties.label !== undefined) {
    made.setAttribute('aria-label', visible(properties.label));
  }
  for (const [name, value] of Object.entries(properties.attributes ?? {})) {
    made.setAttribute(name, visibleAttribute(name, value));
  }
  made.append(
    ...children
      .filter(child => child !== null)
      .map(child => (typeof child === 'string' ? visible(child) : child))
  );
  return made;
}

export function button(
  text: string,
  onClick: (event: MouseEvent) => void,
  properties: Properties = {}
): HTMLButtonElement {
  const made = element(
    'button',
    { ...properties, className: `tusk-button ${properties.className ?? ''}`.trim() },
    text
  );
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}

/** A choice; `choices` are values and what stands for them. */
export function select(
  label: string,
  choices: readonly (readonly [string, string])[],
  chosen?: string
): HTMLSelectElement {
  const made = element('select', { label });
  for (const [value, text] of choices) {
    const option = element('option', {}, text);
    option.value = value;
    option.selected = value === chosen;
    made.append(option);
  }
  return made;
}

export function input(label: string, value: string): HTMLInputElement {
  const made = element('input', { label });
  made.type = 'text';
  made.value = value;
  made.spellcheck = false;
  made.addEventListener('keydown', event => {
    if (event.key === 'Enter') {
      event.preventDefault(); // JupyterLab's page does not let Enter send a form by itself
      made.form?.requestSubmit();
    }
  });
  return made;
}

export function number(count: number): string {
  return count.toLocaleString('en-US');
}

export function rowsText(count: number): string {
  return `${number(count)} row${count === 1 ? '' : 's'}`;
}

export function errorText(error: unknown): string {
  return visible(error instanceof Error ? error.message : String(error));
}
