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
  host.querySelector('.tusk-menu')?.remove();
  const close = (back: boolean) => {
    menu.remove();
    anchor.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', outside, true);
    if (back) {
      anchor.focus({ preventScroll: true });
    }
  };
  const buttons = items.map(item =>
    h(
      'button',
      {
        class: 'tusk-menu-item',
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
    { class: 'tusk-menu', role: 'menu', onkeydown: (event: KeyboardEvent) => press(event) },
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
  document.addEventListener('pointerdown', outside, true);
  anchor.setAttribute('aria-expanded', 'true');
  host.append(menu);
  const [inner, outer] = [anchor.getBoundingClientRect(), host.getBoundingClientRect()];
  menu.style.top = `${inner.bottom - outer.top}px`;
  menu.style.right = `${outer.right - inner.right}px`;
  buttons[0]?.focus({ preventScroll: true });
}
