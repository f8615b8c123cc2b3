/** What the REST routes answer: the messages of `tusk_jupyter.protocol`, as far as the panels read them. */

export type Environment = 'production' | 'staging' | 'development';

export interface IWireError {
  kind: string;
  message: string;
  hint?: string | null;
  detail?: string | null;
  position?: number | null;
  code?: string | null;
}

export interface IConnection {
  name: string;
  driver: string;
  target: string;
  read_only: boolean;
  environment: Environment | null;
  /** Of this server's own session, which serves the panels. */
  state: string;
  /** Where else it is open: paths of notebooks, or what a program calls itself. */
  others?: string[];
}

export interface ICurrentConnection {
  connection?: IConnection | null;
  known?: boolean;
  chosen?: boolean;
}

export interface ITreeNode {
  name: string;
  kind: 'catalog' | 'schema' | 'table' | 'view' | 'column';
  type?: string | null;
  nullable?: boolean | null;
  primary_key?: boolean;
}

export interface IColumnDescription {
  name: string;
  type: string;
  nullable: boolean;
  default?: string | null;
  primary_key?: boolean;
  comment?: string | null;
}

export interface IIndexDescription {
  name: string;
  columns: string[];
  unique?: boolean;
  primary?: boolean;
}

export interface ITableDescription {
  connection: string;
  path: string[];
  description: {
    kind: string;
    columns: IColumnDescription[];
    indexes?: IIndexDescription[];
    comment?: string | null;
  };
}

export interface ISnapshotTable {
  path: string[];
  kind?: 'table' | 'view';
  columns?: { name: string; type?: string; nullable?: boolean; primary_key?: boolean }[];
}

export interface ISchemaSnapshot {
  connection: string;
  dialect: string;
  state: 'fresh' | 'stale' | 'taking' | 'failed';
  stamp?: string;
  snapshot?: { tables: ISnapshotTable[] } | null;
  error?: IWireError | null;
}

export interface IConnectionTested {
  ok: boolean;
  stage: string;
  server?: string;
  /** How the link is secured and whether the server is verified, in words. */
  link?: string;
  elapsed_s?: number;
  error?: IWireError | null;
}

export interface ILogEntry {
  run: string;
  seq: number;
  connection: string;
  driver: string;
  status: string;
  started_at: string;
  elapsed_ms: number | null;
  rows: number | null;
  affected: number | null;
  statements: number | null;
  source: string;
  cell: string | null;
  sql: string;
  error?: string | null;
  code?: string | null;
  kind?: string;
  position?: number | null;
  parameters?: Record<string, string>;
}

export interface ILogPage {
  entries: ILogEntry[];
  total: number;
}

export interface IRunState {
  run: string;
  connection: string;
  status: string;
  started_at: string;
  elapsed_s: number;
  rows?: number;
  source?: string;
  cell?: string | null;
  sql?: string;
  cancelling?: boolean;
  /** A lock that it waits for, with who holds it. */
  waits_for?: string;
  /** How that wait ends: sentences. */
  way_out?: string;
}

export interface ISavedQuery {
  name: string;
  sql: string;
  connection?: string | null;
  description?: string;
}

export interface IPlan {
  columns: string[];
  rows: unknown[][];
  text?: string | null;
}

export interface IPreference {
  name: string;
  value: unknown;
}

export interface IChanges {
  core: string;
  counts: Record<string, number>;
}
