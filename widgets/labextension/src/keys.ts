/**
 * Keys that are pressed in one of our widgets are that widget's. In a notebook every other key is a command: `d d` deletes
 * the cell, `m` and `x` change it. Lab 4.6 looks for commands when a key has bubbled up to the document, so the widget's
 * root stops it there; Notebook 7 looks before the widget has the key, so the focused element itself says no, one phase
 * earlier. (`data-lm-suppress-shortcuts` on the root alone is too late: `.jp-Notebook… :focus` matches the focused element,
 * and Lumino's `targetDistance` asks an element for its selector before it asks the element's parent for the attribute.)
 *
 * What the widget leaves alone is offered to the application again, as if it were pressed beside the notebook: Ctrl+S and
 * Ctrl+Shift+C go on to work, what runs, changes or selects cells does not.
 */

const ROOT = 'data-tusk-keys';
const SUPPRESSED = 'data-lm-suppress-shortcuts';
/** What surrounds a notebook's cells in Lab and in Notebook 7: the commands of a document match from here on upwards. */
const DOCUMENT = '.jp-NotebookPanel, .jp-Activity';
const FUNCTION_KEY = /^F\d+$/;

/**
 * Keep the focus in a widget when the pointer is pressed in it, also between its controls, and on text that is selected:
 * there the browser itself moves no focus before the release, for the text may be dragged. The selection stays.
 */
export function keepFocus(root: HTMLElement): void {
  if (!root.hasAttribute('tabindex')) {
    root.tabIndex = -1; // or the press would give the focus to what is around: a notebook's cell
  }
  root.addEventListener('mousedown', () => {
    if (!root.contains(document.activeElement)) {
      root.focus({ preventScroll: true }); // what the browser gives the focus to inside of it gets it after this
    }
  });
}

/** Keep the keys of a widget that stands in a notebook, with its menus and dialogs, from the notebook. */
export function keepKeys(root: HTMLElement): void {
  root.setAttribute(ROOT, '');
  shield(window);
  keepFocus(root);
  root.addEventListener('keydown', event => pressed(event, root));
  for (const type of ['mousedown', 'dblclick', 'contextmenu'] as const) {
    // A notebook moves the focus to the cell, and selects cells when Shift is held. The cell becomes the active one by
    // the focus that the widget takes. Lab's menu would be that of the cell, whose letters cut, merge and split cells;
    // without it the browser opens its own.
    root.addEventListener(type, event => event.stopPropagation());
  }
}

/** The listener of this page: before the document's, whatever was there first. */
function shield(page: Window): void {
  page.addEventListener('keydown', suppress, true); // the same listener again is no second one
}

function suppress(event: KeyboardEvent): void {
  const target = event.target;
  if (target instanceof Element && target.closest(`[${ROOT}]`) !== null) {
    target.setAttribute(SUPPRESSED, '');
  }
}

function pressed(event: KeyboardEvent, root: HTMLElement): void {
  event.stopPropagation();
  if (event.defaultPrevented) {
    return;
  }
  if (event.key === 'Escape' && !isInDialog(event.target)) {
    leave(root);
  } else if (isForApplication(event)) {
    offer(event, root);
  }
}

/** As Escape leaves a cell's editor: the cell has the focus, and its keys are commands. */
function leave(root: HTMLElement): void {
  const cell = root.closest<HTMLElement>('.jp-Cell');
  if (cell !== null) {
    cell.focus({ preventScroll: true });
  } else {
    (document.activeElement as HTMLElement | null)?.blur();
  }
}

/** Where Escape closes, and the focus goes back by itself. */
function isInDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('dialog, [popover]') !== null;
}

function isForApplication(event: KeyboardEvent): boolean {
  const isTyped = event.getModifierState('AltGraph');
  return !isTyped && (event.ctrlKey || event.metaKey || event.altKey || FUNCTION_KEY.test(event.key));
}

function offer(event: KeyboardEvent, root: HTMLElement): void {
  const { key, code, location, ctrlKey, shiftKey, altKey, metaKey, repeat, keyCode } = event;
  const pressedKey = { key, code, location, ctrlKey, shiftKey, altKey, metaKey, repeat, keyCode };
  const again = new KeyboardEvent('keydown', { ...pressedKey, bubbles: true, cancelable: true });
  const place = root.closest('.jp-Notebook')?.closest(DOCUMENT) ?? document.body;
  if (!place.dispatchEvent(again)) {
    event.preventDefault();
  }
}
