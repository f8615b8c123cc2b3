/** The REST routes under `/tusk/`; Jupyter's own settings bring authentication and XSRF along. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import {
  IChanges,
  IConnection,
  IConnectionTested,
  ICurrentConnection,
  ILogEntry,
  ILogPage,
  IPlan,
  IPreference,
  IRunState,
  ISavedQuery,
  ISchemaSnapshot,
  ITableDescription,
  ITreeNode,
  IWireError
} from './messages';
import { visible } from './visible';

const NOT_THERE: IWireError = {
  kind: 'initialization',
  message: 'The Jupyter server does not answer for Tusk.',
  hint: 'Check with `jupyter server extension list` that tusk_widgets.server is enabled, and restart the server.'
};

/** An answer that is an error of ours. */
export class ApiError extends Error {
  constructor(
    readonly wire: IWireError,
    readonly status: number
  ) {
    super(wire.message);
  }

  get hint(): string {
    return this.wire.hint ?? '';
  }
}

/** What a user reads of anything that was thrown. */
export function describeError(error: unknown): { message: string; hint: string } {
  if (error instanceof ApiError) {
    return { message: visible(error.message), hint: visible(error.hint) };
  }
  return { message: visible(error instanceof Error ? error.message : String(error)), hint: '' };
}

type Query = Record<string, string | number | boolean | null | undefined>;

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== ''
  );
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

/** Conditions on the query log; the fields are those of the route. */
export interface ILogFilter {
  text?: string;
  status?: string;
  connection?: string;
  source?: string;
  since?: string;
  until?: string;
  min_ms?: number;
  tools?: boolean;
}

/** What the log is sorted by. */
export interface ILogOrder {
  order: 'started' | 'duration' | 'rows' | 'status' | 'connection';
  ascending: boolean;
}

/** The routes as functions. */
export class Api {
  constructor(private readonly settings = ServerConnection.makeSettings()) {}

  async connections(): Promise<IConnection[]> {
    return (await this.get<{ connections: IConnection[] }>('connections')).connections;
  }

  /** What SQL that names no connection would run on in a kernel; "" for one that is not started. */
  current(kernel: string): Promise<ICurrentConnection> {
    return this.get(withQuery('current', { kernel }));
  }

  test(name: string): Promise<IConnectionTested> {
    return this.send('POST', `connections/${encodeURIComponent(name)}/test`, {});
  }

  async branch(connection: string, path: readonly string[]): Promise<ITreeNode[]> {
    const query = { connection, path: JSON.stringify(path) };
    return (await this.get<{ nodes: ITreeNode[] }>(withQuery('tree', query))).nodes;
  }

  describe(connection: string, path: readonly string[]): Promise<ITableDescription> {
    return this.get(withQuery('describe', { connection, path: JSON.stringify(path) }));
  }

  schema(connection: string, known: string, waitS: number): Promise<ISchemaSnapshot> {
    return this.get(withQuery('schema', { connection, known, wait_s: waitS }));
  }

  log(
    filter: ILogFilter,
    page: { limit: number; before?: number; offset?: number; count: boolean } & Partial<ILogOrder>
  ): Promise<ILogPage> {
    return this.get(withQuery('log', { ...filter, ...page }));
  }

  entry(run: string): Promise<ILogEntry> {
    return this.get(`log/${encodeURIComponent(run)}`);
  }

  /** The path of a run's notebook in this server's contents; null where it is outside of the server's folder. */
  async notebook(source: string): Promise<string | null> {
    return (await this.get<{ path: string | null }>(withQuery('notebook', { source }))).path;
  }

  async deleteRuns(runs: string[]): Promise<number> {
    return (await this.send<{ entries: number }>('DELETE', 'log', { runs })).entries;
  }

  async deleteLog(): Promise<number> {
    return (await this.send<{ entries: number }>('DELETE', 'log', { everything: true })).entries;
  }

  /** Address of a download of all entries that match. */
  exportUrl(format: string, filter: ILogFilter): string {
    return this.url(withQuery('log/export', { format, ...filter }));
  }

  async runs(): Promise<IRunState[]> {
    return (await this.get<{ runs: IRunState[] }>('runs')).runs;
  }

  async cancel(run: string): Promise<IRunState[]> {
    return (await this.send<{ runs: IRunState[] }>('POST', `runs/${encodeURIComponent(run)}/cancel`, {}))
      .runs;
  }

  async queries(): Promise<ISavedQuery[]> {
    return (await this.get<{ queries: ISavedQuery[] }>('queries')).queries;
  }

  saveQuery(query: ISavedQuery & { replace?: boolean }): Promise<ISavedQuery> {
    return this.send('POST', 'queries', query);
  }

  deleteQuery(name: string): Promise<unknown> {
    return this.send('DELETE', `queries/${encodeURIComponent(name)}`);
  }

  explain(connection: string, sql: string): Promise<IPlan> {
    return this.send('POST', 'explain', { connection, sql });
  }

  async format(sql: string, dialect: string | undefined): Promise<string> {
    return (await this.send<{ sql: string }>('POST', 'format', { sql, dialect })).sql;
  }

  async preferences(): Promise<IPreference[]> {
    return (await this.get<{ preferences: IPreference[] }>('preferences')).preferences;
  }

  setPreference(name: string, value: string): Promise<IPreference> {
    return this.send('PUT', `preferences/${encodeURIComponent(name)}`, { value });
  }

  changes(last: IChanges | null, timeoutS: number, signal: AbortSignal): Promise<IChanges> {
    const query = { core: last?.core, known: JSON.stringify(last?.counts ?? {}), timeout_s: timeoutS };
    return this.request(withQuery('changes', query), { signal });
  }

  private get<T>(path: string): Promise<T> {
    return this.request<T>(path, {});
  }

  private send<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.request<T>(path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  }

  private url(path: string): string {
    return URLExt.join(this.settings.baseUrl, 'tusk', path);
  }

  private async request<T>(path: string, init: RequestInit): Promise<T> {
    const response = await ServerConnection.makeRequest(this.url(path), init, this.settings);
    const text = await response.text();
    let answer: unknown;
    try {
      answer = text ? JSON.parse(text) : {};
    } catch {
      answer = undefined;
    }
    if (response.ok && answer !== undefined) {
      return answer as T;
    }
    const wire = (answer as { error?: IWireError } | undefined)?.error;
    const fallback =
      response.status === 404
        ? NOT_THERE
        : { kind: 'internal', message: `The server answered ${response.status} ${response.statusText}.` };
    throw new ApiError(wire?.message ? wire : fallback, response.status);
  }
}
