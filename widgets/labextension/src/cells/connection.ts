/**
 * Which connections a cell's SQL would run on if it ran now: a pure function of its text and of what is current in the
 * notebook's kernel. Saved outputs have no say: they are the text of whoever wrote the file.
 */
import { folded } from '../names';
import { codeLines, sqlRanges } from './magic';

/** What SQL that names no connection would run on. */
export interface ICurrent {
  /** Its name; null: nothing is chosen; undefined: nobody knows. */
  name: string | null | undefined;
  /** Whether it was chosen on purpose, and stays when a run names another one. */
  chosen: boolean;
}

export const NOT_KNOWN: ICurrent = { name: undefined, chosen: false };

const USE = /^[ \t]*%tusk[ \t]+(use|connect)[ \t]+(\S+)[ \t]*/;

/**
 * The connections of a cell in their order, each once in whatever letters; empty where it holds no SQL.
 *
 * What a line of the cell chooses or names counts for the bare ones below it, as it will in the kernel.
 */
export function connectionsOf(source: string, current: ICurrent): (string | null | undefined)[] {
  const ranges = sqlRanges(source);
  const chosen = choicesIn(source);
  const found = new Map<string | null | undefined, string | null | undefined>();
  const add = (name: string | null | undefined): void => {
    const key = typeof name === 'string' ? folded(name) : name;
    found.set(key, found.get(key) ?? name);
  };
  let now = current;
  for (const range of ranges) {
    while (chosen.length > 0 && chosen[0]!.at < range.magic) {
      now = follow(now, chosen.shift()!);
    }
    add(range.connection ?? now.name);
    if (range.connection) {
      now = follow(now, { name: range.connection, chosen: false });
    }
  }
  return [...found.values()];
}

function follow(now: ICurrent, next: { name: string; chosen: boolean }): ICurrent {
  return next.chosen || !now.chosen ? { name: next.name, chosen: next.chosen } : now;
}

function choicesIn(source: string): { at: number; name: string; chosen: boolean }[] {
  const found = [];
  for (const [at, line] of source.includes('%tusk') ? codeLines(source) : []) {
    const match = USE.exec(line);
    if (match) {
      found.push({ at, name: match[2]!, chosen: match[1] === 'use' });
    }
  }
  return found;
}
