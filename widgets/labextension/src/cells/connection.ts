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

const USE = /^[ \t]*%tusk[ \t]+(use|connect)[ \t]+([^\s-'"{$]\S*)[ \t]*/;
/** What chooses one that cannot be read here: `tusk.use(name)`, `x = %tusk use prod`, options before the name, the picker. */
const MAY_CHOOSE =
  /\btusk[ \t]+(?:use|connect|pick)\b|(?<!\b(?:style|matplotlib|mpl|plt)\.)\buse[ \t]*\(|\btusk\w*\.connect[ \t]*\(|\b(?:magic|run_\w+)\([ \t]*['"]tusk\b/;

/**
 * The connections of a cell in their order, each once in whatever letters; empty where it holds no SQL.
 *
 * What a line of the cell chooses or names counts for the bare ones below it, as it will in the kernel.
 */
export function connectionsOf(source: string, current: ICurrent): (string | null | undefined)[] {
  const ranges = sqlRanges(source);
  if (ranges.length === 0) {
    return [];
  }
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

function follow(now: ICurrent, next: ICurrent): ICurrent {
  return next.chosen || !now.chosen ? { name: next.name, chosen: next.chosen } : now;
}

function choicesIn(source: string): (ICurrent & { at: number })[] {
  const found: (ICurrent & { at: number })[] = [];
  for (const [at, line] of MAY_CHOOSE.test(source) ? codeLines(source) : []) {
    const match = USE.exec(line);
    if (match) {
      found.push({ at, name: match[2]!, chosen: match[1] === 'use' });
    } else if (MAY_CHOOSE.test(line.replace(/^[ \t]*#.*/, ''))) {
      found.push({ at, ...NOT_KNOWN, chosen: true });
    }
  }
  return found;
}
