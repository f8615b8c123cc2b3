// Which cells are selected, and what the keys do to that.
import type { Position } from './table';
import type { Range } from './types';

export interface Extent {
  rows: number;
  columns: number;
  /** Rows of a page. */
  page: number;
}

export class Selection {
  active: Position = { row: 0, column: 0 };
  private anchor: Position = { row: 0, column: 0 };

  /** Null while the focus is in the heading. */
  get range(): Range | null {
    const [a, b] = [this.anchor, this.active];
    if (b.row < 0) {
      return null;
    }
    const top = Math.max(0, Math.min(a.row, b.row));
    return {
      top,
      bottom: Math.max(a.row, b.row),
      left: Math.min(a.column, b.column),
      right: Math.max(a.column, b.column)
    };
  }

  has({ row, column }: Position): boolean {
    const { range } = this;
    return (
      range !== null &&
      row >= range.top &&
      row <= range.bottom &&
      column >= range.left &&
      column <= range.right
    );
  }

  moveTo(position: Position, extend: boolean): void {
    this.active = position;
    if (!extend) {
      this.anchor = position;
    }
  }

  selectAll(extent: Extent): void {
    this.anchor = { row: 0, column: 0 };
    this.active = { row: Math.max(0, extent.rows - 1), column: Math.max(0, extent.columns - 1) };
  }

  /** Stay inside after the rows became fewer. */
  clamp(rows: number): void {
    for (const position of [this.active, this.anchor]) {
      position.row = Math.min(position.row, rows - 1);
    }
  }
}

/** Return where a key leads, or null for a key that does not move. */
export function destination(event: KeyboardEvent, from: Position, extent: Extent): Position | null {
  const { row, column } = from;
  const [lastRow, lastColumn] = [extent.rows - 1, extent.columns - 1];
  const all = event.ctrlKey || event.metaKey;
  const to = (newRow: number, newColumn: number): Position => ({
    row: Math.max(-1, Math.min(newRow, lastRow)),
    column: Math.max(0, Math.min(newColumn, lastColumn))
  });
  switch (event.key) {
    case 'ArrowUp':
      return to(all ? 0 : row - 1, column);
    case 'ArrowDown':
      return to(all ? lastRow : row + 1, column);
    case 'ArrowLeft':
      return to(row, all ? 0 : column - 1);
    case 'ArrowRight':
      return to(row, all ? lastColumn : column + 1);
    case 'PageUp':
      return to(Math.max(0, row - extent.page), column);
    case 'PageDown':
      return to(row + extent.page, column);
    case 'Home':
      return to(all ? 0 : row, 0);
    case 'End':
      return to(all ? lastRow : row, lastColumn);
    default:
      return null;
  }
}
