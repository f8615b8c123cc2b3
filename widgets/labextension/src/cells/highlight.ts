/**
 * SQL highlighting of `%%sql` cells and `%sql` lines.
 *
 * Decorations over Python's own highlighting, not another language: Lab sets a cell's language anew whenever the kernel
 * says what it speaks, and whatever was nested into it would be gone. The theme's highlighter gives the classes.
 */
import { highlightingFor, indentService } from '@codemirror/language';
import { EditorState, Extension, Prec, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state';
import { Decoration, DecorationSet, EditorView, ViewPlugin, ViewUpdate } from '@codemirror/view';
import { highlightTree } from '@lezer/highlight';

import { dialectOf } from '../sql';
import { ISqlRange, sqlRanges } from './magic';

/** Longer cells stay plain: they are data, and each keystroke would parse them. */
const LONGEST = 200_000;
const PLAIN = Decoration.mark({ class: 'tusk-cm-sql' });

/** The driver of the connection that a range runs on, as far as anybody knows. */
export type DriverOf = (connection: string | null) => string | undefined;

/** Sent when connections became known: the same text may have another dialect now. */
export const dialectsChanged = StateEffect.define<null>();

const ranges = StateField.define<readonly ISqlRange[]>({
  create: state => find(state),
  update: (value, transaction) => (transaction.docChanged ? find(transaction.state) : value)
});

function find(state: EditorState): readonly ISqlRange[] {
  return state.doc.length > LONGEST ? [] : sqlRanges(state.doc.toString());
}

function rangeAt(state: EditorState, position: number): ISqlRange | undefined {
  return state.field(ranges, false)?.find(range => range.from <= position && position <= range.to);
}

/** The extension of one editor. */
export function sqlHighlighting(driverOf: DriverOf): Extension {
  const painter = ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;

      constructor(view: EditorView) {
        this.decorations = paint(view, driverOf);
      }

      update(update: ViewUpdate): void {
        const told = update.transactions.some(each =>
          each.effects.some(effect => effect.is(dialectsChanged))
        );
        if (
          update.docChanged ||
          update.viewportChanged ||
          told ||
          update.transactions.some(each => each.reconfigured)
        ) {
          this.decorations = paint(update.view, driverOf);
        }
      }
    },
    { decorations: plugin => plugin.decorations }
  );
  return [
    ranges,
    // The highest decoration is the innermost element, so that its colour wins over Python's.
    Prec.highest(painter),
    Prec.highest(
      EditorState.languageData.of((state, position) =>
        rangeAt(state, position)
          ? [{ commentTokens: { line: '--', block: { open: '/*', close: '*/' } } }]
          : []
      )
    ),
    Prec.highest(
      indentService.of((context, position) => {
        const line = context.lineAt(position, -1);
        return rangeAt(context.state, position) && line.from > 0
          ? context.lineIndent(line.from - 1)
          : undefined;
      })
    )
  ];
}

function paint(view: EditorView, driverOf: DriverOf): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const { from, to } = view.viewport;
  const put = (start: number, stop: number, mark: Decoration) => {
    if (start < stop) {
      builder.add(start, stop, mark);
    }
  };
  for (const range of view.state.field(ranges)) {
    const text = view.state.sliceDoc(range.from, range.to);
    const tree = dialectOf(driverOf(range.connection)).language.parser.parse(text);
    const highlighter = {
      style: (tags: Parameters<typeof highlightingFor>[1]) => highlightingFor(view.state, tags)
    };
    let at = Math.max(range.from, from);
    // Options on the magic's line are no operators of Python either.
    put(Math.max(range.magic, from), Math.min(range.from, to), PLAIN);
    const end = Math.min(range.to, to);
    if (at < end) {
      highlightTree(
        tree,
        highlighter,
        (start, stop, classes) => {
          put(at, range.from + start, PLAIN);
          put(range.from + start, range.from + stop, markOf(classes));
          at = range.from + stop;
        },
        at - range.from,
        end - range.from
      );
      put(at, end, PLAIN);
    }
  }
  return builder.finish();
}

const marks = new Map<string, Decoration>();

function markOf(classes: string): Decoration {
  let mark = marks.get(classes);
  if (!mark) {
    mark = Decoration.mark({ class: `tusk-cm-sql ${classes}` });
    marks.set(classes, mark);
  }
  return mark;
}
