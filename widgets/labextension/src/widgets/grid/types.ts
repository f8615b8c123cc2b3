// What kernel and browser say to each other; tusk_widgets/grid_requests.py is the other side.

export type Kind = 'number' | 'text' | 'boolean' | 'time' | 'binary' | 'nested';

export interface ColumnInfo {
  name: string;
  type: string;
  kind: Kind;
}

export interface GridInfo {
  columns: ColumnInfo[];
  rows: number;
  preview_rows: number;
  preview_columns: number;
  more: boolean;
  limit: number | null;
  connection: string;
  environment: string | null;
  dialect: string;
  formats: { name: string; label: string; ending: string }[];
  dialects: string[];
}

/** The widget's state; the index signature is what anywidget asks for. */
export interface GridState {
  [name: string]: unknown;
  info: GridInfo;
  preview: DataView;
  view: View;
}

export interface SortKey {
  column: number;
  descending: boolean;
}

export type Operator =
  'contains' | 'not contains' | '=' | '!=' | '<' | '<=' | '>' | '>=' | 'is null' | 'is not null' | 'in';

export interface Filter {
  column: number;
  op: Operator;
  values: (string | null)[];
}

export interface View {
  sort: SortKey[];
  filters: Filter[];
}

export interface Statistics {
  rows: number;
  nulls: number;
  distinct: number;
  facts: [string, string][];
  bars: { low: string; high: string; count: number }[];
  top: [string, number][];
}

/** A rectangle of cells, ends included. */
export interface Range {
  top: number;
  bottom: number;
  left: number;
  right: number;
}
