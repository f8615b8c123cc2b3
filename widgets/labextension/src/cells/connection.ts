/** Which connection a cell uses: what its line names, else what its last run says, else what the notebook used last. */
import { ICellModel, ICodeCellModel, isCodeCellModel } from '@jupyterlab/cells';
import { INotebookModel } from '@jupyterlab/notebook';

import { Environment } from '../messages';
import { cellMagic, sqlRanges } from './magic';

export interface ICellRun {
  connection: string;
  environment: Environment | null;
}

/** What the result of a cell's last run says of its connection. */
export function runOf(model: ICellModel): ICellRun | null {
  if (!isCodeCellModel(model)) {
    return null;
  }
  for (let i = model.outputs.length - 1; i >= 0; i--) {
    const { tusk } = model.outputs.get(i).metadata as { tusk?: ICellRun };
    if (tusk?.connection) {
      return { connection: tusk.connection, environment: tusk.environment ?? null };
    }
  }
  return null;
}

/** The run with the highest execution count in a notebook. */
export function lastRunOf(notebook: INotebookModel | null | undefined): ICellRun | null {
  let last: ICellRun | null = null;
  let newest = -1;
  for (const model of notebook?.cells ?? []) {
    const run = runOf(model);
    const executed = run ? ((model as ICodeCellModel).executionCount ?? 0) : -1;
    if (run && executed > newest) {
      [last, newest] = [run, executed];
    }
  }
  return last;
}

/** Name of the first connection that a cell's SQL names, or null; undefined where a cell holds no SQL. */
export function namedConnection(source: string): string | null | undefined {
  const ranges = cellMagic(source) ? [cellMagic(source)!] : sqlRanges(source);
  return ranges.length === 0 ? undefined : (ranges.find(range => range.connection)?.connection ?? null);
}
