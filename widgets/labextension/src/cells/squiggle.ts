/** The error's place, underlined in the cell that ran, until the cell changes. */
import { ICodeCellModel } from '@jupyterlab/cells';
import { Extension, StateEffect, StateField, Text } from '@codemirror/state';
import { Decoration, DecorationSet, EditorView, ViewPlugin } from '@codemirror/view';

import { tokenAt } from '../sql';
import { visible } from '../visible';

const ANSI = /\x1b\[[0-9;]*[A-Za-z]/g;
const PLACE = /line (\d+), column (\d+) of the cell/;
const EXCERPT = /^ *(\d+) \| (.*)$/m;

export interface IErrorPlace {
  line: number;
  column: number;
  message: string;
  /** The line as it was when it ran; null where the error shows only a part of it. */
  text: string | null;
}

/** Read where an error of ours says it is. */
export function errorPlace(traceback: readonly string[]): IErrorPlace | null {
  const text = traceback.join('\n').replace(ANSI, '');
  const place = PLACE.exec(text);
  if (!place) {
    return null;
  }
  const excerpt = EXCERPT.exec(text)?.[2] ?? null;
  return {
    line: Number(place[1]),
    column: Number(place[2]),
    message: text.split('\n', 1)[0] ?? '',
    text: excerpt === null || excerpt.startsWith('…') || excerpt.endsWith('…') ? null : excerpt
  };
}

const setPlace = StateEffect.define<IErrorPlace | null>();

const underline = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (value, transaction) => {
    for (const effect of transaction.effects) {
      if (effect.is(setPlace)) {
        return effect.value ? draw(transaction.state.doc, effect.value) : Decoration.none;
      }
    }
    return transaction.docChanged ? Decoration.none : value;
  },
  provide: field => EditorView.decorations.from(field)
});

function draw(doc: Text, place: IErrorPlace): DecorationSet {
  if (place.line < 1 || place.line > doc.lines) {
    return Decoration.none;
  }
  const line = doc.line(place.line);
  if (place.text !== null && line.text.replace(/[\t\r]/g, ' ').trimEnd() !== place.text.trimEnd()) {
    return Decoration.none; // the cell is another one than the one that ran
  }
  // Python counts characters, the editor UTF-16 units.
  const column = [...line.text].slice(0, place.column - 1).join('').length;
  if (column >= line.length) {
    return line.length === 0 ? Decoration.none : mark(line.to - 1, line.to, place.message);
  }
  const [, end] = tokenAt(line.text, column);
  return mark(
    line.from + column,
    line.from + Math.max(column + 1, Math.min(end, line.length)),
    place.message
  );
}

function mark(from: number, to: number, message: string): DecorationSet {
  const attributes = { title: visible(message), 'data-testid': 'tusk-squiggle' };
  return Decoration.set(Decoration.mark({ class: 'tusk-mod-error', attributes }).range(from, to));
}

/** The extension of a code cell's editor: follows the outputs of its model. */
export function errorSquiggle(model: ICodeCellModel): Extension {
  const follower = ViewPlugin.define(view => {
    let shown: string | null = null;
    const follow = () => {
      const traceback = tracebackOf(model);
      const key = traceback?.join('\n') ?? null;
      if (key !== shown) {
        shown = key;
        const place = traceback && errorPlace(traceback);
        // Not within the update that told us.
        queueMicrotask(() => view.dispatch({ effects: setPlace.of(place) }));
      }
    };
    const { outputs } = model; // gone from a model that is disposed
    outputs.changed.connect(follow);
    follow();
    return { destroy: () => outputs.changed.disconnect(follow) };
  });
  return [underline, follower];
}

function tracebackOf(model: ICodeCellModel): string[] | null {
  for (let i = model.outputs.length - 1; i >= 0; i--) {
    const output = model.outputs.get(i).toJSON();
    if (output.output_type === 'error') {
      return output.traceback as string[];
    }
  }
  return null;
}
