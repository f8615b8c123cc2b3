/**
 * The list that completion shows in SQL. The candidates are the kernel's, and so is their order: what begins as typed before
 * what only contains it. Lab alone orders a list anew, by letters, as soon as something is typed or all entries begin alike;
 * takes the typed text back to what they have in common; and knows only what the kernel gave when the list was opened.
 */
import {
  CompleterModel,
  CompletionHandler,
  Completer,
  ICompletionContext,
  ICompletionProvider,
  ICompletionProviderManager
} from '@jupyterlab/completer';
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Text } from '@jupyterlab/coreutils';

import { Answer, answerTo } from './answer';
import { sqlRanges } from './magic';

/** What stands for a schema that is not there yet; `READING` of `tusk_magics.completion.matcher`. */
const READING = 'reading the schema…';
const SEARCHING = 'searching…';
/** The kernel gives no more: `LIMIT` of `tusk_magics.completion.ranking`. */
const FULL = 300;
/** Between two questions for a schema that is being read. */
const PAUSE_MS = 300;
const TYPES = '_jupyter_types_experimental';

type Item = CompletionHandler.ICompletionItem;

export const completionPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:completion',
  description: 'Keeps the order of SQL completions, and shows those that come later.',
  autoStart: true,
  requires: [ICompletionProviderManager],
  activate: (_: JupyterFrontEnd, manager: ICompletionProviderManager) => manager.registerProvider(provider)
};

/** The model of the list is that of the provider with the highest rank; the candidates come from the kernel's own one. */
const provider: ICompletionProvider = {
  identifier: 'tusk-jupyter:sql',
  rank: 1000,
  renderer: null,
  isApplicable: async () => false,
  fetch: async () => ({ start: 0, end: 0, items: [] }),
  modelFactory: async context => new SqlCompleterModel(context)
};

export class SqlCompleterModel extends CompleterModel {
  constructor(private readonly context: ICompletionContext) {
    super();
  }

  override setCompletionItems(given: Item[]): void {
    this.isSql =
      this.original !== null && this.cursor !== null && isSql(this.original.text, this.cursor.start);
    // Lab's own provider adds every token of the cell, without a type: `%%`, `*`, `FROM`.
    const typed = this.isSql ? given.filter(item => item.type !== undefined) : [];
    const items = typed.length > 0 ? typed : given;
    this.places = new Map(items.map((item, place) => [textOf(item), place]));
    this.isCut = items.length >= FULL;
    this.isReading = items.some(item => item.type === READING);
    super.setCompletionItems(items);
    if (this.isSql && this.isReading) {
      window.setTimeout(() => void this.ask(), PAUSE_MS);
    }
  }

  override handleTextChange(change: Completer.ITextState): void {
    this.isAsking = this.isSql && this.isCut && this.original !== null;
    super.handleTextChange(change);
    if (this.isAsking) {
      void this.ask();
    }
  }

  override completionItems(): CompletionHandler.ICompletionItems {
    const isMade = this.processedItemsCache !== null;
    const items = super.completionItems();
    if (isMade || !this.isSql || this.original === null) {
      return items;
    }
    const { typed } = this;
    const place = (item: Item): number => this.places.get(textOf(item)) ?? FULL;
    const ordered = [...items].sort(
      (one, other) => Number(!begins(one, typed)) - Number(!begins(other, typed)) || place(one) - place(other)
    );
    if (ordered.length === 0 && (this.isAsking || this.isReading)) {
      ordered.push({ label: typed, insertText: typed, type: this.isReading ? READING : SEARCHING });
    }
    this.processedItemsCache = ordered;
    return ordered;
  }

  override get query(): string {
    return super.query;
  }
  /** What all entries have in common is inserted by Tab; it is not to take back what is typed. */
  override set query(value: string) {
    if (!this.isSql || value.length >= this.typed.length) {
      super.query = value;
    }
  }

  /** Ask the kernel for the list at the cursor as it is now; nothing where the list was left meanwhile. */
  private async ask(): Promise<void> {
    const asked = this.current;
    const kernel = this.context.session?.kernel;
    if (this.isDisposed || asked === null || !kernel) {
      return;
    }
    const answer = await answerTo(kernel, asked.text, Text.jsIndexToCharIndex(offsetOf(asked), asked.text));
    if (this.isDisposed || this.current === null) {
      return;
    }
    if (answer === null) {
      this.reset(true);
      return;
    }
    if (this.current !== asked) {
      if (this.isReading) {
        void this.ask();
      }
      return;
    }
    this.isAsking = false;
    if (
      answer.status !== 'ok' ||
      Text.charIndexToJsIndex(answer.cursor_start, asked.text) !== this.cursor?.start
    ) {
      this.reset(true); // behind a dot, say, another name begins
    } else {
      this.setCompletionItems(itemsOf(answer));
    }
  }

  /** The text between the begin of what is completed and the cursor. */
  private get typed(): string {
    const { current, cursor } = this;
    return current && cursor ? current.text.slice(cursor.start, offsetOf(current)) : '';
  }

  private isSql = false;
  private isCut = false;
  private isReading = false;
  private isAsking = false;
  private places = new Map<string, number>();
}

function itemsOf(answer: Answer & { status: 'ok' }): Item[] {
  const types = (answer.metadata[TYPES] ?? []) as { text: string; type: string }[];
  return answer.matches.map((label, number) => {
    const { text, type } = types[number] ?? {};
    return { label, insertText: text ?? label, type };
  });
}

function textOf(item: Item): string {
  return item.insertText ?? item.label;
}

/** Whether a name, without its quote, begins as what is typed. */
function begins(item: Item, typed: string): boolean {
  const bare = (text: string): string => text.replace(/^["`[]/, '').toLowerCase();
  return bare(textOf(item)).startsWith(bare(typed));
}

function isSql(source: string, offset: number): boolean {
  return sqlRanges(source).some(range => range.from <= offset && offset <= range.to);
}

function offsetOf({ text, line, column }: Completer.ITextState): number {
  const before = text.split('\n').slice(0, line);
  return before.reduce((sum, each) => sum + each.length + 1, column);
}
