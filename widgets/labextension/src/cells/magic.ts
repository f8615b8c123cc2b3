/** Where SQL stands in a cell, by the rules of `tusk_magics.line`: a pure function of text. */

/** SQL in a cell: its range, and the connection that its line names. */
export interface ISqlRange {
  /** Where the magic's name begins. */
  magic: number;
  from: number;
  to: number;
  connection: string | null;
  /** Whether it is a `%%sql` cell, not a `%sql` line. */
  whole: boolean;
}

const FLAGS = new Set(['--jinja', '--read-only', '--overwrite', '--no-log', '--help']);
const STATEMENTS = new Set(
  (
    'abort alter analyse analyze attach audit backup begin bind cache call change check checkpoint checksum clone close ' +
    'cluster comment commit connect copy create deallocate declare delete desc describe detach discard do drop end exec ' +
    'execute explain export fetch flush force from get grant handler help import insert install kill listen load lock ' +
    'merge move next notify open optimize pivot pragma prepare purge reassign refresh reindex release rename repair ' +
    'replace reset restore revert revoke rollback savepoint security select set show shutdown signal start stop summarize ' +
    'table truncate unbind undrop unlisten unlock unpivot update upsert use vacuum values with xa'
  ).split(' ')
);
/** Magics that run what stands in their cell or behind them, magics included: IPython's, and those of the usual profilers. */
const RUNNING = 'time|timeit|prun|capture|memit|mprun|lprun';
const WRAPPERS = new RegExp(`^(?:\\s*%%(?:${RUNNING})(?![\\w-])[^\\n]*\\n)+`);
const CELL = /^\s*%%sql(?=[ \t\r\n]|$)/;
/** What IPython lets stand before a magic whose result is assigned: a target, in which quoted text may hold anything. */
const TARGET = /(?:(?:[^=#%!'"\n]|'[^'\n]*'|"[^"\n]*")+=[ \t]*)?/.source;
const LINE = new RegExp(`^[ \\t]*${TARGET}(?:%(?:${RUNNING})[ \\t][^%\\n]*)*%sql(?=[ \\t])`);
/** What is for IPython, whose quotes are no Python. */
const MAGIC_LINE = new RegExp(`^[ \\t]*${TARGET}(?:%%?[\\p{L}_]|!)`, 'u');
/** IPython's automagic: a cell of one line needs no `%`, but where Python goes on behind the name, it is a variable. */
const AUTOMAGIC = /^\s*sql(?=[ \t]+(?!(?:in|is|and|or|not|if)\b)(?:--|[^\s=+\-*/%|&^<>!@.,;:)\]}~]))/;
/** What begins, ends or continues a string; longer ones first. */
const PYTHON_SIGNS = /\\.|\\$|'''|"""|['"#]/g;
/** The magic stands near its line's begin: a line is not searched further. */
const LONGEST_LEAD = 400;
const OPTION = /^--[A-Za-z][\w-]*/;
const ASSIGN = /^[^\s<]+[ \t]*<<(?!<)[ \t]*/;
const NAME = /^[^\s'"(),;]+(?=\s|$)/;

/** The `%%sql` of a cell, or null when it is no SQL cell. */
export function cellMagic(source: string): ISqlRange | null {
  const wrapped = WRAPPERS.exec(source)?.[0].length ?? 0;
  const match = CELL.exec(source.slice(wrapped));
  if (!match) {
    return null;
  }
  const start = wrapped + match[0].length;
  const end = lineEnd(source, start);
  const head = readHead(source.slice(start, end));
  return {
    magic: start - '%%sql'.length,
    from: start + head.length,
    to: source.length,
    connection: head.connection,
    whole: true
  };
}

/** All SQL of a code cell: the body of `%%sql`, or what stands behind each `%sql`. */
export function sqlRanges(source: string): ISqlRange[] {
  const cell = cellMagic(source);
  if (cell) {
    return [cell];
  }
  const wrapped = WRAPPERS.exec(source)?.[0].length ?? 0;
  const automagic = AUTOMAGIC.exec(source)?.[0].length;
  if (automagic !== undefined && !source.trim().includes('\n')) {
    return [lineRange(source, 'sql', automagic)];
  }
  if (!source.includes('%sql') || /^\s*%%/.test(source.slice(wrapped))) {
    return [];
  }
  const ranges: ISqlRange[] = [];
  for (const [at, line] of codeLines(source, wrapped)) {
    const lead = line.indexOf('%sql');
    const match = lead < 0 || lead > LONGEST_LEAD ? null : LINE.exec(line);
    if (match) {
      ranges.push(lineRange(source, '%sql', at + match[0].length));
    }
  }
  return ranges;
}

/** The SQL behind a magic's name, which ends at `start`. */
function lineRange(source: string, name: string, start: number): ISqlRange {
  const end = continuedEnd(source, start);
  const head = readHead(source.slice(start, end));
  return {
    magic: start - name.length,
    from: start + head.length,
    to: end,
    connection: head.connection,
    whole: false
  };
}

/** Offset of the first line below the magic's own one. */
export function bodyStart(source: string, magic: ISqlRange): number {
  const end = lineEnd(source, source.indexOf('%%sql'));
  return Math.max(end + 1, Math.min(magic.from, source.length));
}

/**
 * The lines of a cell that begin outside of a Python string, with their offsets: what is in a string, nobody runs. A line of
 * IPython's comes with those that continue it.
 */
export function* codeLines(source: string, from = 0): Generator<[at: number, line: string]> {
  let quote = '';
  for (let at = from, end; at <= source.length; at = end + 1) {
    end = lineEnd(source, at);
    const line = source.slice(at, end);
    const isMagic = !quote && MAGIC_LINE.test(line.slice(0, LONGEST_LEAD));
    end = isMagic ? continuedEnd(source, at) : end;
    if (!quote) {
      yield [at, source.slice(at, end)];
    }
    quote = isMagic ? '' : quoteAfter(line, quote);
  }
}

/** The quotes of the string that goes on behind the end of a line; they were `quote` at its begin. */
function quoteAfter(line: string, quote: string): string {
  for (const [sign] of line.matchAll(PYTHON_SIGNS)) {
    if (sign === '\\') {
      return quote; // the string, or the statement, goes on in the next line
    } else if (quote) {
      quote = sign === quote ? '' : quote;
    } else if (sign === '#') {
      return '';
    } else if (!sign.startsWith('\\')) {
      quote = sign;
    }
  }
  return quote.length === 3 ? quote : '';
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end;
}

function continuedEnd(source: string, at: number): number {
  let end = lineEnd(source, at);
  while (end < source.length && source[end - 1] === '\\') {
    end = lineEnd(source, end + 1);
  }
  return end;
}

/** Read connection, options and `NAME <<`; the length of what is not SQL yet. */
function readHead(line: string): { connection: string | null; length: number } {
  let connection: string | null = null;
  let isUpload = false;
  let isAssigned = false;
  let at = 0;
  for (;;) {
    at += /^[ \t]*/.exec(line.slice(at))![0].length;
    const rest = line.slice(at);
    const option = OPTION.exec(rest)?.[0];
    if (option) {
      isUpload ||= option === '--persist' || option === '--append';
      at += option.length + (FLAGS.has(option) ? 0 : valueLength(rest.slice(option.length)));
      continue;
    }
    const assign: RegExpExecArray | null = isAssigned ? null : ASSIGN.exec(rest);
    if (assign && !STATEMENTS.has(/^[^\s<]+/.exec(rest)![0].toLowerCase())) {
      isAssigned = true;
      at += assign[0].length;
      continue;
    }
    const name: string | undefined = connection === null ? NAME.exec(rest)?.[0] : undefined;
    const isNone = !name || STATEMENTS.has(name.toLowerCase()) || /^(--|\/\*|#)|:\/\//.test(name);
    if (isNone || (isUpload && name.toLowerCase() === 'as')) {
      return { connection, length: at };
    }
    connection = name;
    at += name.length;
  }
}

/** Length of an option's value with the blanks or the `=` before it: it ends at a blank outside quotes and brackets. */
function valueLength(rest: string): number {
  let at = /^(?:[ \t]*=[ \t]*|[ \t]+)?/.exec(rest)![0].length;
  let quote = '';
  let depth = 0;
  for (; at < rest.length; at++) {
    const char = rest[at]!;
    if (quote) {
      quote = char === quote ? '' : quote;
    } else if (char === '"' || char === "'") {
      quote = char;
    } else if ('([{'.includes(char)) {
      depth += 1;
    } else if (')]}'.includes(char)) {
      depth -= 1;
    } else if (/\s/.test(char) && depth <= 0) {
      break;
    }
  }
  return at;
}
