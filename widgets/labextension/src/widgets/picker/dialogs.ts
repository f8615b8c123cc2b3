import { control, textInput } from './control';
import { h, uid } from './dom';
import type { Line } from './messages';
import { freeName, nameProblem } from './schema';

/** Asks before a connection is deleted, and says what goes with it. */
export function confirmRemoval(line: Line, answered: (yes: boolean) => void): HTMLElement {
  const stored = line.tier !== null && line.tier !== 'command';
  const goes = [
    'its settings',
    ...(stored ? [`its stored secret (${line.tier})`] : []),
    'every database session that is open on it, of all notebooks, with temp tables and uncommitted changes'
  ];
  const no = button('cancel', 'Keep it', 'tusk-pick-button', () => answered(false));
  const node = dialog('alertdialog', `Delete the connection ${line.name}?`, () => answered(false), [
    h('p', {}, `This goes with it: ${goes.slice(0, -1).join(', ')}, and ${goes.at(-1)!}.`),
    h('p', { class: 'tusk-about' }, 'The query log keeps its rows. The database itself is not touched.'),
    h(
      'footer',
      { class: 'tusk-pick-form-foot' },
      button('confirm-delete', 'Delete', 'tusk-pick-button tusk-danger', () => answered(true)),
      no
    )
  ]);
  queueMicrotask(() => no.focus());
  return node;
}

/** Asks for the copy's name. */
export function askCopyName(
  line: Line,
  taken: string[],
  answered: (name: string | null) => void
): HTMLElement {
  const input = textInput({ 'data-tusk': 'copy-name' });
  input.value = freeName(`${line.name}_copy`, taken);
  const name = control({ name: 'copy-name', title: 'Name of the copy', required: true, span: 6 }, input);
  const answer = () => {
    const problem = nameProblem(input.value.trim(), taken);
    name.complain(problem);
    if (problem === null) {
      answered(input.value.trim());
    }
  };
  const node = dialog('dialog', `Duplicate ${line.name}`, () => answered(null), [
    h('div', { class: 'tusk-pick-grid' }, name.node),
    h('p', { class: 'tusk-about' }, 'Settings are copied, and the stored secret within its store.'),
    h(
      'footer',
      { class: 'tusk-pick-form-foot' },
      button('confirm-duplicate', 'Duplicate', 'tusk-pick-button tusk-primary', answer),
      button('cancel', 'Cancel', 'tusk-pick-button', () => answered(null))
    )
  ]);
  input.addEventListener('keydown', event => {
    if (event.key === 'Enter') {
      event.preventDefault();
      answer();
    }
  });
  queueMicrotask(() => input.select());
  return node;
}

function dialog(role: string, title: string, escape: () => void, children: Node[]): HTMLElement {
  const heading = uid('heading');
  return h(
    'section',
    {
      class: 'tusk-pick-dialog',
      role,
      'aria-labelledby': heading,
      'data-tusk': 'dialog',
      onkeydown: (event: KeyboardEvent) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          escape();
        }
      }
    },
    h('h3', { id: heading }, title),
    ...children
  );
}

function button(name: string, title: string, style: string, run: () => void): HTMLButtonElement {
  return h('button', { class: style, type: 'button', 'data-tusk': name, onclick: run }, title);
}
