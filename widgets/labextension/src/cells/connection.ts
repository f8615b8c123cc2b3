/**
 * Which connections a cell's SQL would run on if it ran now: a pure function of its text and of what is current in the
 * notebook's kernel. Saved outputs have no say: they are the text of whoever wrote the file.
 */
import { folded } from '../names';
import { codeLines, ISqlRange, sqlRanges } from './magic';

/** What SQL that names no connection would run on. */
export interface ICurrent {
  /** Its name; null: nothing is chosen; undefined: nobody knows. */
  name: string | null | undefined;
  /** Whether it was chosen on purpose, and stays when a run names another one. */
  chosen: boolean;
}

export const NOT_KNOWN: ICurrent = { name: undefined, chosen: false };
const CHOSEN_NOT_KNOWN: ICurrent = { name: undefined, chosen: true };
const USED_NOT_KNOWN: ICurrent = { name: undefined, chosen: false };

const USE = /^[ \t]*%tusk[ \t]+(use|connect)[ \t]+([^\s-'"{$]\S*)[ \t]*/;
/** What chooses one that cannot be read here: `tusk.use(name)`, `x = %tusk use prod`, options before the name, the picker. */
const MAY_CHOOSE =
  /\btusk[ \t]+(?:use|connect|pick)\b|(?<!\b(?:style|matplotlib|mpl|plt)\.)\buse\w*[ \t]*\(|\btusk\w*\.connect[ \t]*\(|['"]tusk['" ]/;
/** What runs text that is not in the cell: `%run setup.ipynb`, `ip.run_cell(text)`. */
const RUNS_OTHERS = /^[ \t]*%(?:run|rerun)\b|\bexec[ \t]*\(|\.run_cell\w*[ \t]*\(/;
/** A call that names a connection, which is current after it where none was chosen: `tusk.query(sql, connection="prod")`. */
const USES = /(?:[(,][ \t]*|^[ \t]+)connection[ \t]*=(?!=)[ \t]*(?:(['"])([^'"\n]+)\1)?/g;
/** A choice that need not happen: a question for help. */
const ASKS_FOR_HELP = /(?:^|\s)(?:--help|-h)\b|\?\s*$/;

/** What may give a name another connection, or another environment, before the cell's SQL runs. */
const MAY_RECONFIGURE =
  /\btusk[ \t]+(?:remove|pick)\b|[ \t]--replace\b|\breplace[ \t]*=[ \t]*True\b|\btusk\w*\.remove[ \t]*\(/;
/** The name of what is called in a line of Python. */
const CALL = /(?<![.\w])(\w+)[ \t]*\(/g;
const STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|#.*/g;
/** Called everywhere, and none of them chooses a connection; the words of Python that may stand before a bracket. */
const HARMLESS = new Set(
  (
    'abs all and any as assert await bool bytes callable chr dict dir display divmod elif enumerate except filter float ' +
    'format frozenset getattr hasattr hash hex id if in input int is isinstance issubclass iter lambda len list locals ' +
    'map max min next not open or ord pow print range repr return reversed round set sleep slice sorted str sum super ' +
    'tuple type while with yield zip'
  ).split(' ')
);

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

/** Why a cell may run on something else than its connections are known for now, in a sentence; null where nothing says so. */
export function doubtOf(source: string): string | null {
  const ranges = sqlRanges(source);
  const last = ranges.filter(range => range.connection === null).at(-1)?.magic ?? -1;
  let doubt: string | null = null;
  for (const [at, line] of ranges.length > 0 ? statements(source, ranges) : []) {
    if (MAY_RECONFIGURE.test(line)) {
      return 'This cell may change the connection itself.';
    }
    if (at < last && !/^[ \t]*[%!?]/.test(line) && callsOthers(line)) {
      doubt = 'What this cell calls before its SQL may choose another connection.';
    }
  }
  return doubt;
}

/** Whether a line of Python calls what is defined elsewhere, and so may do anything. */
function callsOthers(line: string): boolean {
  if (/^[ \t]*(?:async[ \t]+)?(?:def|class)\b/.test(line)) {
    return false;
  }
  const calls = [...line.replace(STRING, "''").matchAll(CALL)];
  return calls.some(([, name]) => !HARMLESS.has(name!) && !/^[\p{Lu}\d]/u.test(name!));
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
  const choices = ranges.length === 0 ? [] : choicesIn(source, ranges, isConditional);
  return [...sql, ...choices].sort((one, other) => one.at - other.at);
}

function choicesIn(source: string, ranges: ISqlRange[], isConditional: (at: number) => boolean): IStep[] {
  const found: IStep[] = [];
  for (const [at, line] of statements(source, ranges)) {
    const match = USE.exec(line);
    if (match) {
      found.push({
        at,
        next: { name: match[2]!, chosen: match[1] === 'use' },
        isSql: false,
        isConditional: isConditional(at) || ASKS_FOR_HELP.test(line)
      });
    } else if (MAY_CHOOSE.test(line)) {
      found.push({ at, next: CHOSEN_NOT_KNOWN, isSql: false, isConditional: isConditional(at) });
    } else if (RUNS_OTHERS.test(line)) {
      found.push({ at, next: CHOSEN_NOT_KNOWN, isSql: false, isConditional: true });
    } else {
      for (const [, , name] of line.matchAll(USES)) {
        const next = name === undefined ? USED_NOT_KNOWN : { name, chosen: false };
        found.push({ at, next, isSql: false, isConditional: true }); // it may be another library's
      }
    }
  }
  return found;
}

/** What is no SQL and no comment, line by line; a magic's line with those that continue it. */
function* statements(source: string, sql: ISqlRange[]): Generator<[at: number, line: string]> {
  if (sql[0]?.whole) {
    return;
  }
  const ofSql = new Set(sql.map(({ magic }) => lineStart(source, magic)));
  for (const [at, line] of codeLines(source)) {
    if (!ofSql.has(at) && !/^[ \t]*#/.test(line)) {
      yield [at, line.replace(/\\\n[ \t]*/g, ' ')];
    }
  }
}

/** Whether the line of an offset depends on others: it is indented further than the first one, or the cell is a loop. */
function conditional(source: string): (at: number) => boolean {
  const first = /^(?:[ \t]*\n)*([ \t]*)/.exec(source)![1]!.length;
  const isLoop = /^(?:\s*%%[^\n]*\n)*\s*%%timeit\b/.test(source);
  return at => {
    return isLoop || /^[ \t]*/.exec(source.slice(lineStart(source, at)))![0].length > first;
  };
}

function lineStart(source: string, at: number): number {
  return at === 0 ? 0 : source.lastIndexOf('\n', at - 1) + 1;
}
