/** Where SQL from elsewhere goes in a cell: a pure function of text. */
import { folded } from '../names';
import { cellMagic } from './magic';

export interface ISql {
  sql: string;
  connection: string | null;
}

/** A change of a cell's text, after which the cursor stands at its end. */
export interface IInsertion {
  from: number;
  to: number;
  text: string;
}

/** A cell that runs the SQL on its connection. */
export function cellText({ sql, connection }: ISql): string {
  return `%%sql${connection ? ` ${connection}` : ''}\n${sql}`;
}

/**
 * What brings SQL into a cell in place of what is selected there; null where it is for a cell of its own. An empty cell
 * becomes one of the connection, and the line of a magic is never written into. `strict`: the cursor was meant, also in what is
 * no SQL on this connection. Otherwise the SQL is a whole statement: right behind or before another word it would spoil both.
 */
export function insertion(
  source: string,
  selected: { from: number; to: number },
  sql: ISql,
  strict: boolean
): IInsertion | null {
  if (!source.trim()) {
    return { from: 0, to: source.length, text: cellText(sql) };
  }
  const magic = cellMagic(source);
  if (!strict && (magic === null || !fits(magic.connection, sql.connection))) {
    return null;
  }
  const [before, after] = [source.slice(0, selected.from), source.slice(selected.to)];
  if (magic !== null) {
    const head = source.slice(0, magic.from).trimEnd();
    if (!source.slice(magic.from).trim()) {
      return { from: head.length, to: source.length, text: `\n${sql.sql}` };
    }
    if (selected.from < magic.from || before === head) {
      return null;
    }
  }
  return !strict && (/[^\s(]$/.test(before) || /^[^\s);]/.test(after))
    ? null
    : { ...selected, text: sql.sql };
}

/** Whether a cell of this connection, or of none that it names, takes the other's SQL. */
function fits(own: string | null, other: string | null): boolean {
  return own === null || (other !== null && folded(own) === folded(other));
}
