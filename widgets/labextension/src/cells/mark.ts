/** What a cell's mark says: a pure function of the connections that it would run on. */
import { Environment } from '../messages';

/** The most alarming first: of a cell's environments, this one is shown. */
const ENVIRONMENTS: readonly Environment[] = ['production', 'staging', 'development'];
const LONGEST_NAME = 60;

/** What is drawn on a cell. */
export interface IMark {
  environment: Environment | null;
  label: string;
}

/** What is known of a connection: its environment, null for none; undefined where nobody knows, or there is none of that name. */
export type EnvironmentOf = (name: string) => { environment: Environment | null; note?: string } | undefined;

/** The mark of a cell that runs on these connections; null without any. */
export function markOf(
  names: readonly (string | null | undefined)[],
  environmentOf: EnvironmentOf
): IMark | null {
  if (names.length === 0) {
    return null;
  }
  const known = names.map(name => (typeof name === 'string' ? environmentOf(name) : undefined));
  const worst = ENVIRONMENTS.find(one => known.some(each => each?.environment === one)) ?? null;
  // A harmless colour is for a cell of which all is known.
  const isSure = known.every(each => each !== undefined && !each.note && each.environment !== null);
  const environment = worst === 'production' || isSure ? worst : null;
  const words = names.map((name, i) => {
    if (name === undefined) {
      return 'connection not known yet';
    }
    if (name === null) {
      return 'no connection chosen';
    }
    const note = known[i] ? known[i].note : 'no such connection';
    const own = known[i]?.environment;
    return `${shortened(name)}${names.length > 1 && own ? ` (${own})` : ''}${note ? `: ${note}` : ''}`;
  });
  return { environment, label: [environment?.toUpperCase(), words.join(', ')].filter(Boolean).join(' · ') };
}

function shortened(name: string): string {
  const plain = name.replace(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');
  return plain.length > LONGEST_NAME ? `${plain.slice(0, LONGEST_NAME)}…` : plain;
}
