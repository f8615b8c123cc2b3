import { h } from './dom';
import { sign } from './glyphs';

export interface MenuItem {
  name: string;
  title: string;
  icon: Parameters<typeof sign>[0];
  run(): void;
}

/** Opens a menu below its button; arrows move, Escape and a click elsewhere close it. */
export function openMenu(host: HTMLElement, anchor: HTMLElement, items: MenuItem[]): void {
  host.querySelector('.tusk-pick-menu')?.remove();
  const close = (back: boolean) => {
    menu.remove();
    anchor.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', outside, true);
    document.removeEventListener('scroll', scrolled, true);
    if (back) {
      anchor.focus({ preventScroll: true });
    }
  };
  const buttons = items.map(item =>
    h(
      'button',
      {
        class: 'tusk-pick-menu-item',
        type: 'button',
        role: 'menuitem',
        tabindex: -1,
        'data-tusk': item.name,
        onclick: () => {
          close(true);
          item.run();
        }
      },
      sign(item.icon),
      item.title
    )
  );
  const menu = h(
    'div',
    { class: 'tusk-pick-menu', role: 'menu', onkeydown: (event: KeyboardEvent) => press(event) },
    ...buttons
  );
  const press = (event: KeyboardEvent) => {
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    if (event.key in to) {
      buttons.at((to[event.key]! + buttons.length) % buttons.length)?.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      close(true);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const outside = (event: Event) => {
    if (!event.composedPath().includes(menu)) {
      close(false);
    }
  };
  const scrolled = () => put(menu, anchor); // a click alone may scroll: Lab shows the whole of a cell that became active
  document.addEventListener('pointerdown', outside, true);
  document.addEventListener('scroll', scrolled, true);
  anchor.setAttribute('aria-expanded', 'true');
  host.append(menu);
  place(menu, anchor);
  buttons[0]?.focus({ preventScroll: true });
}

/** Puts the menu below its button, or above where there is no room; in the top layer, since cell outputs cut off what leaves them. */
function place(menu: HTMLElement, anchor: HTMLElement): void {
  menu.setAttribute('popover', 'manual');
  menu.showPopover();
  put(menu, anchor);
}

function put(menu: HTMLElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const below = at.bottom + menu.offsetHeight < window.innerHeight;
  menu.style.top = `${below ? at.bottom : Math.max(0, at.top - menu.offsetHeight)}px`;
  menu.style.left = `${Math.max(0, at.right - menu.offsetWidth)}px`;
}
