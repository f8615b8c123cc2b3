import { h, uid } from './dom';
import { sign, tile } from './glyphs';
import type { Catalog, Driver, Suggestion } from './messages';

export interface ChooserActions {
  driver(driver: Driver): void;
  suggestion(suggestion: Suggestion, driver: Driver): void;
  close(): void;
}

/** The first step of adding: what the environment already describes, and the installed drivers. */
export function chooser(catalog: Catalog, actions: ChooserActions): HTMLElement {
  const heading = uid('heading');
  const drivers = new Map(catalog.drivers.map(driver => [driver.name, driver]));
  const chips = catalog.suggestions
    .map(one => chip(one, drivers.get(one.driver), actions))
    .filter(one => one !== null);
  return h(
    'section',
    {
      class: 'tusk-chooser',
      role: 'dialog',
      'aria-labelledby': heading,
      'data-tusk': 'chooser',
      onkeydown: (event: KeyboardEvent) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          actions.close();
        }
      }
    },
    h(
      'header',
      { class: 'tusk-pick-form-head' },
      h(
        'button',
        {
          class: 'tusk-icon-button',
          type: 'button',
          title: 'Back to the list',
          'aria-label': 'Back to the list',
          onclick: () => actions.close()
        },
        sign('back')
      ),
      h('h3', { id: heading }, 'Add a connection')
    ),
    chips.length
      ? h(
          'div',
          { class: 'tusk-quick' },
          h('h4', {}, 'From the environment of this kernel'),
          h('div', { class: 'tusk-pick-chips' }, ...chips)
        )
      : null,
    h('h4', {}, chips.length ? 'Or choose a database' : 'Choose a database'),
    h('div', { class: 'tusk-tiles' }, ...catalog.drivers.map(driver => driverTile(driver, actions)))
  );
}

function chip(
  suggestion: Suggestion,
  driver: Driver | undefined,
  actions: ChooserActions
): HTMLElement | null {
  if (!driver) {
    return null;
  }
  const mapping = Object.entries(suggestion.variables).map(
    ([field, variable]) => `${field} from $${variable}`
  );
  return h(
    'button',
    {
      class: 'tusk-pick-chip',
      type: 'button',
      title: mapping.join('\n'),
      'data-tusk': 'suggestion',
      'data-name': suggestion.name,
      onclick: () => actions.suggestion(suggestion, driver)
    },
    tile(suggestion.driver, 18),
    h('span', { class: 'tusk-pick-name' }, suggestion.name),
    h(
      'span',
      { class: 'tusk-target' },
      [...new Set(Object.values(suggestion.variables))].map(one => `$${one}`).join(' ')
    ),
    suggestion.has_secret ? sign('key', 13) : null,
    suggestion.has_secret
      ? h('span', { class: 'tusk-hidden' }, ', with a secret that stays in the kernel')
      : null
  );
}

function driverTile(driver: Driver, actions: ChooserActions): HTMLElement {
  return h(
    'button',
    {
      class: 'tusk-driver',
      type: 'button',
      disabled: driver.problem !== null,
      title: driver.problem ?? driver.origin,
      'data-tusk': 'driver',
      'data-driver': driver.name,
      onclick: () => actions.driver(driver)
    },
    tile(driver.name, 28),
    h(
      'span',
      { class: 'tusk-words' },
      h('span', { class: 'tusk-pick-name' }, driver.title),
      h('span', { class: 'tusk-target' }, driver.problem ?? driver.schemes.map(one => `${one}://`).join(' '))
    )
  );
}
