/** What the plugins of this extension share. */
import { Token } from '@lumino/coreutils';

import { Api } from './api';
import { Changes } from './changes';
import { Connections } from './connections';

export interface ITusk {
  readonly api: Api;
  readonly changes: Changes;
  readonly connections: Connections;
}

export const ITusk = new Token<ITusk>(
  'tusk-jupyter:ITusk',
  'Connections, query log and changes of the Tusk core.'
);

/** Commands; their keyboard shortcuts stand in schema/. */
export namespace CommandIDs {
  export const showPanel = 'tusk:show-panel';
  export const openLog = 'tusk:open-log';
  export const formatSql = 'tusk:format-sql';
  export const copyName = 'tusk:copy-name';
  export const insertSelect = 'tusk:insert-select';
  export const describe = 'tusk:describe';
  export const refresh = 'tusk:refresh';
  export const refreshAll = 'tusk:refresh-all';
  export const test = 'tusk:test';
  export const insertSql = 'tusk:insert-sql';
  export const newCell = 'tusk:new-cell';
  export const runInNewCell = 'tusk:run-in-new-cell';
  export const openCopy = 'tusk:open-copy';
  export const goToOrigin = 'tusk:go-to-origin';
}
