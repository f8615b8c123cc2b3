/** The command that formats the SQL of the active cell; its magic line stays as it is. */
import { Notification } from '@jupyterlab/apputils';
import { Cell, isCodeCellModel } from '@jupyterlab/cells';

import { describeError } from '../api';
import { ITusk } from '../tokens';
import { bodyStart, cellMagic } from './magic';

/** Whether a cell holds SQL that can be formatted. */
export function canFormat(cell: Cell | null): boolean {
  return (
    cell !== null && isCodeCellModel(cell.model) && cellMagic(cell.model.sharedModel.getSource()) !== null
  );
}

export async function formatCell(cell: Cell, driver: string | undefined, tusk: ITusk): Promise<void> {
  const { sharedModel } = cell.model;
  const source = sharedModel.getSource();
  const magic = cellMagic(source);
  const start = magic ? bodyStart(source, magic) : source.length;
  const sql = source.slice(start);
  if (!sql.trim()) {
    return;
  }
  try {
    const formatted = (await tusk.api.format(sql, driver)).trimEnd();
    if (sharedModel.getSource() !== source) {
      return; // typed on meanwhile
    }
    if (formatted !== sql) {
      sharedModel.updateSource(start, source.length, formatted);
    }
  } catch (error) {
    const { message, hint } = describeError(error);
    Notification.warning([`This SQL was not formatted: ${message}`, hint].filter(Boolean).join('\n'), {
      autoClose: 6000
    });
  }
}
