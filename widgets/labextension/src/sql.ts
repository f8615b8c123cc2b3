/** SQL as text: dialects, names, and highlighting outside an editor. */
import { MariaSQL, MySQL, PLSQL, PostgreSQL, SQLDialect, SQLite, StandardSQL } from '@codemirror/lang-sql';
import { highlightTree, tagHighlighter, tags } from '@lezer/highlight';

import { h } from './dom';
import { visible } from './visible';

/** DuckDB's own words on top of PostgreSQL's, whose grammar it took over. */
const DuckDB = SQLDialect.define({
  ...PostgreSQL.spec,
  keywords:
    `${PostgreSQL.spec.keywords ?? ''} anti asof attach describe detach exclude glob ilike install macro map ` +
    'pivot positional pragma qualify replace sample semi struct summarize unpivot use',
  types: `${PostgreSQL.spec.types ?? ''} blob double hugeint int128 list map struct tinyint ubigint uhugeint uinteger union usmallint utinyint uuid varchar`
});

const DIALECTS: Record<string, SQLDialect> = {
  duckdb: DuckDB,
  mariadb: MariaSQL,
  mysql: MySQL,
  oracle: PLSQL,
  postgres: PostgreSQL,
  postgresql: PostgreSQL,
  sqlite: SQLite
};

/** The editor's dialect for a driver. */
export function dialectOf(driver: string | undefined): SQLDialect {
  return DIALECTS[driver ?? ''] ?? StandardSQL;
}

const RESERVED = new Set(
  (
    'all alter analyse analyze and any array as asc asymmetric between both by case cast check collate column ' +
    'constraint create cross current_date current_role current_time current_timestamp current_user database default ' +
    'deferrable delete desc describe distinct do drop else end except exists explain false fetch for foreign from full ' +
    'grant group groups having if ilike in index initially inner insert intersect interval into is join key keys lateral ' +
    'leading left like limit localtime localtimestamp natural not null of offset on only or order outer over partition ' +
    'pivot placing primary qualify range rank read references returning right row rows select session_user set show ' +
    'similar some summarize symmetric system table then to trailing true union unique unpivot update usage user using ' +
    'values view when where window with write'
  ).split(' ')
);

/** A name as SQL of the driver's dialect, quoted only where it must be. */
export function quoteName(name: string, driver: string): string {
  const folds = driver === 'postgresql' ? /^[a-z_][a-z0-9_]*$/ : /^[A-Za-z_][A-Za-z0-9_]*$/;
  if (folds.test(name) && !RESERVED.has(name.toLowerCase())) {
    return name;
  }
  const mark = driver === 'mysql' || driver === 'mariadb' ? '`' : '"';
  return mark + name.split(mark).join(mark + mark) + mark;
}

/** A path of names as SQL. */
export function qualifiedName(path: readonly string[], driver: string): string {
  return path.map(name => quoteName(name, driver)).join('.');
}

/** A query that shows a table. */
export function selectFrom(path: readonly string[], driver: string): string {
  return `SELECT *\nFROM ${qualifiedName(path, driver)}\nLIMIT 100`;
}

const highlighter = tagHighlighter([
  { tag: tags.keyword, class: 'tusk-sql-keyword' },
  { tag: tags.typeName, class: 'tusk-sql-type' },
  { tag: tags.standard(tags.name), class: 'tusk-sql-builtin' },
  { tag: [tags.string, tags.special(tags.string)], class: 'tusk-sql-string' },
  { tag: [tags.number, tags.bool, tags.null], class: 'tusk-sql-number' },
  { tag: tags.comment, class: 'tusk-sql-comment' },
  { tag: tags.operator, class: 'tusk-sql-operator' }
]);

/** The text highlighted, with the token at `mark` underlined. */
export function highlighted(sql: string, driver: string, mark: number | null = null): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const range = mark === null ? null : tokenAt(sql, mark);
  let at = 0;
  const put = (to: number, cls: string) => {
    for (const [from, end, marked] of pieces(at, to, range)) {
      const text = sql.slice(from, end);
      fragment.append(
        cls || marked ? h('span', { class: marked ? `${cls} tusk-mod-error` : cls }, text) : visible(text)
      );
    }
    at = to;
  };
  highlightTree(dialectOf(driver).language.parser.parse(sql), highlighter, (from, to, cls) => {
    put(from, '');
    put(to, cls);
  });
  put(sql.length, '');
  return fragment;
}

/** The range of the word, quoted name or sign at an offset. */
export function tokenAt(sql: string, offset: number): [number, number] {
  const at = Math.max(0, Math.min(offset, sql.length - 1));
  const match = /^(?:"[^"\n]*"|`[^`\n]*`|'[^'\n]*'|[\p{L}\p{M}\p{N}_$]+|.)/su.exec(sql.slice(at, at + 200));
  return [at, at + (match?.[0].length ?? 1)];
}

function* pieces(
  from: number,
  to: number,
  mark: [number, number] | null
): Generator<[number, number, boolean]> {
  const cuts = [from, ...(mark ?? []).filter(cut => cut > from && cut < to), to];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [start, end] = [cuts[i]!, cuts[i + 1]!];
    if (start < end) {
      yield [start, end, mark !== null && start >= mark[0] && end <= mark[1]];
    }
  }
}
