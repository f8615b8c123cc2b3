/** Elements from data. Text becomes text nodes: nothing here, or above it, parses HTML. */
import { visible, visibleAttribute } from './visible';

export type Child = Node | string | null | undefined | false;

export interface IProps {
  class?: string;
  title?: string;
  /** Attributes by their own names: `aria-label`, `data-testid`, `role`. */
  attrs?: Record<string, string | number | boolean | null | undefined>;
  on?: { [E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void };
}

/** Make an element. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: IProps = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (props.class) {
    element.className = props.class;
  }
  if (props.title) {
    element.title = visible(props.title);
  }
  for (const [name, value] of Object.entries(props.attrs ?? {})) {
    if (value !== null && value !== undefined) {
      element.setAttribute(name, visibleAttribute(name, String(value)));
    }
  }
  for (const [type, listener] of Object.entries(props.on ?? {})) {
    element.addEventListener(type, listener as EventListener);
  }
  element.append(
    ...children
      .filter((child): child is Node | string => child !== null && child !== undefined && child !== false)
      .map(child => (typeof child === 'string' ? visible(child) : child))
  );
  return element;
}

/** Make these the children of an element. Those that are it already stay in it: focus, selected text and a press stay with them. */
export function setChildren(parent: HTMLElement, wanted: readonly HTMLElement[]): void {
  const stay = new Set<Element>(wanted);
  [...parent.children].filter(child => !stay.has(child)).forEach(child => child.remove());
  wanted.forEach((child, place) => {
    if (parent.children[place] !== child) {
      parent.insertBefore(child, parent.children[place] ?? null);
    }
  });
}
