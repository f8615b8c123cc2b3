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
const CHOSEN_NOT_KNOWN: ICurrent = { name: undefined, chosen: true };

const USE = /^[ \t]*%tusk[ \t]+(use|connect)[ \t]+([^\s-'"{$]\S*)[ \t]*/;
/** What chooses one that cannot be read here: `tusk.use(name)`, `x = %tusk use prod`, options before the name, the picker. */
const MAY_CHOOSE =
  /\btusk[ \t]+(?:use|connect|pick)\b|(?<!\b(?:style|matplotlib|mpl|plt)\.)\buse[ \t]*\(|\btusk\w*\.connect[ \t]*\(|\b(?:magic|run_\w+)\([ \t]*['"]tusk\b/;

/** A choice that need not happen: a question for help. */
const ASKS_FOR_HELP = /(?:^|\s)--help\b|\?\s*$/;
/** More that may be current at one place are not told apart: a cell of thousands of choices does not hold up the page. */
const MOST = 20;

/** What happens in a cell: a choice, or SQL. */
interface IStep {
  at: number;
  /** The connection that is chosen or named. */
  next: ICurrent | null;
  isSql: boolean;
  /** Whether it may happen not at all, later, or again: it is in a branch, a loop or a function. */
  isConditional: boolean;
}

/**
 * The connections of a cell in their order, each once in whatever letters; empty where it holds no SQL.
 *
 * What a line of the cell chooses or names counts for the bare ones below it, as it will in the kernel. Where that depends on
 * what the cell does, these are all that it may run on.
 */
export function connectionsOf(source: string, current: ICurrent): (string | null | undefined)[] {
  const found = new Map<string | null | undefined, string | null | undefined>();
  const add = ({ name }: ICurrent): void => {
    const key = typeof name === 'string' ? folded(name) : name;
    found.set(key, found.get(key) ?? name);
  };
  const steps = stepsOf(source);
  const isLoose = steps.some(step => step.isSql && step.isConditional && !step.next);
  const anywhere = new Possible(current);
  let now = new Possible(current);
  for (const { next, isSql, isConditional } of steps) {
    if (isSql) {
      (next ? [next] : now.all).forEach(add);
    }
    if (next) {
      now = isConditional ? now.with(next) : now.after(next);
      now.all.forEach(one => anywhere.put(one));
    }
  }
  if (isLoose) {
    anywhere.all.forEach(add); // a loop or a call may run it after what stands below it
  }
  return [...found.values()];
}

/** All that may be current at one place of a cell. */
class Possible {
  constructor(...all: ICurrent[]) {
    all.forEach(one => this.put(one));
  }

  get all(): ICurrent[] {
    return [...this.named.values()];
  }

  put(one: ICurrent): void {
    const key = `${one.chosen} ${typeof one.name} ${one.name}`;
    if (this.named.size < MOST || this.named.has(key)) {
      this.named.set(key, one);
    } else {
      this.named.set('', CHOSEN_NOT_KNOWN);
    }
  }

  /** After something that certainly happens. */
  after(next: ICurrent): Possible {
    return new Possible(...this.all.map(now => follow(now, next)));
  }

  /** After something that may have happened. */
  with(next: ICurrent): Possible {
    return new Possible(...this.all, ...this.after(next).all);
  }

  private readonly named = new Map<string, ICurrent>();
}

function follow(now: ICurrent, next: ICurrent): ICurrent {
  return next.chosen || !now.chosen ? next : now;
}

/** What happens in a cell, in the order of its text; nothing where it holds no SQL. */
function stepsOf(source: string): IStep[] {
  const ranges = sqlRanges(source);
  const isConditional = conditional(source);
  const sql = ranges.map(range => ({
    at: range.magic,
    next: range.connection ? { name: range.connection, chosen: false } : null,
    isSql: true,
    isConditional: !range.whole && isConditional(range.magic)
  }));
  const choices = ranges.length === 0 ? [] : choicesIn(source, isConditional);
  return [...sql, ...choices].sort((one, other) => one.at - other.at);
}

function choicesIn(source: string, isConditional: (at: number) => boolean): IStep[] {
  const found: IStep[] = [];
  for (const [at, line] of MAY_CHOOSE.test(source) ? codeLines(source) : []) {
    const match = USE.exec(line);
    if (match) {
      found.push({
        at,
        next: { name: match[2]!, chosen: match[1] === 'use' },
        isSql: false,
        isConditional: isConditional(at) || ASKS_FOR_HELP.test(line)
      });
    } else if (MAY_CHOOSE.test(line.replace(/^[ \t]*#.*/, ''))) {
      found.push({ at, next: CHOSEN_NOT_KNOWN, isSql: false, isConditional: isConditional(at) });
    }
  }
  return found;
}

/** Whether the line of an offset depends on others: it is indented further than the first one, or the cell is a loop. */
function conditional(source: string): (at: number) => boolean {
  const first = /^(?:[ \t]*\n)*([ \t]*)/.exec(source)![1]!.length;
  const isLoop = /^(?:\s*%%[^\n]*\n)*\s*%%timeit\b/.test(source);
  return at => {
    const line = at === 0 ? 0 : source.lastIndexOf('\n', at - 1) + 1;
    return isLoop || /^[ \t]*/.exec(source.slice(line))![0].length > first;
  };
}
