/** Numbers, times and places as a reader wants them. */
import { isCount } from '../cells/count';

/** As `duration` in `tusk_jupyter/cli/times.py` writes it, which the cell's footer and `%tusk log` show. */
export function duration(milliseconds: number | null): string {
  if (milliseconds === null) {
    return '';
  }
  if (milliseconds < 999.5) {
    return `${Math.round(milliseconds)} ms`;
  }
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) {
    return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  }
  const whole = Math.max(60, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Today by its time, other days by their date too; always the reader's own clock. */
export function when(iso: string): string {
  const date = new Date(iso);
  const time = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const today = new Date();
  if (date.toDateString() === today.toDateString()) {
    return time;
  }
  const sameYear = date.getFullYear() === today.getFullYear();
  const day = date.toLocaleDateString(undefined, {
    month: 'short',
    day: 'numeric',
    year: sameYear ? undefined : 'numeric'
  });
  return `${day}, ${time}`;
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : value.toLocaleString();
}

/** The same in five letters or fewer, for narrow columns; its title says it in full. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || Math.abs(value) < 10_000) {
    return count(value);
  }
  const power = Math.min(4, Math.floor(Math.log10(Math.abs(value) * 1.0005) / 3));
  const scaled = value / 1000 ** power;
  return `${scaled.toFixed(Math.abs(scaled) < 99.95 ? 1 : 0)} ${['', 'k', 'M', 'G', 'T'][power]}`;
}

/** Name of the notebook, without its folders. */
export function notebook(source: string | undefined): string {
  return (source ?? '').split('/').at(-1) ?? '';
}

/** The notebook and the cell that a run came from. */
export function place(source: string | undefined, cell: string | null | undefined): string {
  return isCount(cell) ? `${notebook(source)} [${cell}]` : notebook(source);
}

/** SQL on one line. */
export function oneLine(sql: string): string {
  return sql.slice(0, 500).replace(/\s+/g, ' ').trim();
}
