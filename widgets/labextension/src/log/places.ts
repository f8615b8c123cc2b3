/** Where runs under way are listed: a row that moves away below the pointer makes a click cancel another run. */
import { IRunState } from '../messages';

/** A run as it is listed. */
export interface IPlacedRun extends IRunState {
  /** Whether it has ended, and only keeps the place. */
  hasEnded?: boolean;
}

/** What to list where `shown` is listed: nothing moves up while `isHeld`, and new runs come last. */
export function placed(
  shown: readonly IPlacedRun[],
  runs: readonly IRunState[],
  isHeld: boolean
): IPlacedRun[] {
  if (!isHeld) {
    return [...runs];
  }
  const now = new Map(runs.map(run => [run.run, run]));
  const known = new Set(shown.map(run => run.run));
  const last = shown.reduce((at, run, index) => (now.has(run.run) ? index : at), -1);
  return [
    ...shown.slice(0, last + 1).map(run => now.get(run.run) ?? { ...run, hasEnded: true }),
    ...runs.filter(run => !known.has(run.run))
  ];
}
