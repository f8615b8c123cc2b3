// One cell, whole; JSON is set out in lines.
import { visible } from '../../visible';
import { copyText } from './clipboard';
import { openDialog } from './dialog';
import { button, element, number } from './dom';
import type { ColumnInfo } from './types';

export interface WholeCell {
  text: string | null;
  characters: number;
  type: string;
}

export function openCell(
  root: HTMLElement,
  column: ColumnInfo,
  row: number,
  cell: WholeCell,
  say: (text: string) => void
): void {
  const text = cell.text;
  const facts = [cell.type, `row ${number(row + 1)}`];
  if (text !== null) {
    facts.push(`${number(cell.characters)} character${cell.characters === 1 ? '' : 's'}`);
    if (text.length < cell.characters) {
      facts.push(`the first ${number(text.length)} are shown`);
    }
  }
  const shown = element('pre', {
    className: text === null ? 'tusk-cell-text tusk-null' : 'tusk-cell-text',
    attributes: { tabindex: '0' }
  });
  shown.textContent = text === null ? 'NULL' : visible(setOut(text));
  const copy = button('Copy', () => {
    void copyText(Promise.resolve(text ?? '')).then(() => say('Copied the value.'));
  });
  openDialog(root, column.name || '(no name)', 'tusk-cell-dialog', [
    element('div', { className: 'tusk-dim' }, facts.join(' · ')),
    shown,
    element('div', { className: 'tusk-dialog-buttons' }, copy)
  ]);
  shown.focus();
}

/** JSON of objects and lists in lines, if that keeps every digit; other texts as they are. */
function setOut(text: string): string {
  if (!/^\s*[[{]/.test(text)) {
    return text;
  }
  try {
    const value: unknown = JSON.parse(text);
    const compact = (json: string): string => json.replace(/\s+/g, '');
    const pretty = JSON.stringify(value, null, 2);
    return compact(pretty) === compact(text) ? pretty : text;
  } catch {
    return text;
  }
}
