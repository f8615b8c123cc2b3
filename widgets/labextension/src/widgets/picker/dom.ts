/** Elements from code: every text becomes a text node, so that no name and no message can be markup. */
import { visible, visibleAttribute } from '../../visible';

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

const SVG = 'http://www.w3.org/2000/svg';

/** Makes an element; a function is a listener (`onclick`), true an empty attribute, false and null none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  fill(made, attributes);
  made.append(
    ...children
      .filter((child): child is Node | string => child instanceof Node || typeof child === 'string')
      .map(child => (typeof child === 'string' ? visible(child) : child))
  );
  return made;
}

/** Makes an SVG element. */
export function svg(tag: string, attributes: Attributes, ...children: SVGElement[]): SVGElement {
  const made = document.createElementNS(SVG, tag);
  fill(made, attributes);
  made.append(...children);
  return made;
}

function fill(made: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      made.addEventListener(name.replace(/^on/, ''), value as EventListener);
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : visibleAttribute(name, String(value)));
    }
  }
}

let made = 0;

/** An id that no other element of this page has. */
export function uid(what: string): string {
  made += 1;
  return `tusk-${what}-${made}-${Math.random().toString(36).slice(2, 8)}`;
}

/**
 * Whether the user is still in this part of the page, or nowhere: an answer of the kernel takes the focus from nothing else,
 * such as the cell that was typed in since. Nowhere is where the press of a button that was disabled for it leaves the focus.
 */
export function hasFocus(part: HTMLElement): boolean {
  const { activeElement } = document;
  return activeElement === null || activeElement === document.body || part.contains(activeElement);
}
