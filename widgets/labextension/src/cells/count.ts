/**
 * Whether the cell of a run is told by its execution count, which any notebook may have, as the frontend told no id.
 *
 * The ids that nbformat gives have eight hexadecimal digits, and one in 43 has no letter among them.
 */
export function isCount(cell: string | null | undefined): boolean {
  return /^\d{1,5}$/.test(cell ?? '');
}
