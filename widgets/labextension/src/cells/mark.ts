/** What a cell's mark says: a pure function of the connections that it would run on. */
import { Environment } from '../messages';

/** The most alarming first: of a cell's environments, this one is shown. */
const ENVIRONMENTS: readonly Environment[] = ['production', 'staging', 'development'];
const LONGEST_NAME = 60;

/** What is drawn on a cell. */
export interface IMark {
  environment: Environment | null;
  label: string;
  /** The same in sentences. */
  title: string;
}

/** What is known of a connection: its own name, and its environment, null for none. */
export interface IKnown {
  name?: string;
  environment: Environment | null;
  /** Whether the list is an older one, because the newest could not be had. */
  isOld?: boolean;
  /** Why the cell may run on something else all the same, in a sentence. */
  doubt?: string | null;
}

/** Undefined where there is no connection of that name. */
export type Look = (name: string) => IKnown | undefined;

/** The mark of a cell that runs on these connections; null without any. */
export function markOf(names: readonly (string | null | undefined)[], look: Look): IMark | null {
  if (names.length === 0) {
    return null;
  }
  const known = names.map(name => (typeof name === 'string' ? look(name) : undefined));
  const worst = ENVIRONMENTS.find(one => known.some(each => each?.environment === one)) ?? null;
  // A harmless colour is for a cell of which all is known.
  const isSure = known.every(each => each && !each.isOld && !each.doubt && each.environment !== null);
  const environment = worst === 'production' || isSure ? worst : null;
  const words = names.map((name, i) => wordsOf(name, known[i], names.length > 1, environment));
  return {
    environment,
    label: [environment?.toUpperCase(), words.join(', ')].filter(Boolean).join(' · '),
    title: names.map((name, i) => sentenceOf(name, known[i])).join('\n')
  };
}

/** What stands on the cell; beside others, an environment that is not the one in front. */
function wordsOf(
  name: string | null | undefined,
  known: IKnown | undefined,
  isOneOfSeveral: boolean,
  inFront: Environment | null
): string {
  if (typeof name !== 'string') {
    return name === null ? 'no connection chosen' : 'connection not known yet';
  }
  if (!known) {
    return `${shortened(name)}: no such connection`;
  }
  const isOther = isOneOfSeveral && known.environment !== inFront;
  const own = isOther ? ` (${known.environment ?? 'no environment'})` : '';
  return `${shortened(known.name ?? name)}${own}${known.isOld ? ': not confirmed' : ''}`;
}

function sentenceOf(name: string | null | undefined, known: IKnown | undefined): string {
  if (name === undefined) {
    return 'Which connection this cell runs on is not known yet.';
  }
  if (name === null) {
    return 'This cell names no connection, and none is chosen.';
  }
  const short = shortened(known?.name ?? name);
  if (!known) {
    return `There is no connection ${short}.${/[{}$]/.test(name) ? ' A name is read as it is written: no variable is filled in.' : ''}`;
  }
  const where = known.environment === null ? 'has no environment' : `is ${known.environment}`;
  const old = known.isOld ? ' This is not confirmed: the connections could not be read again.' : '';
  return `This cell runs on ${short}, which ${where}.${old}${known.doubt ? ` ${known.doubt}` : ''}`;
}

function shortened(name: string): string {
  const plain = name.replace(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');
  return plain.length > LONGEST_NAME ? `${plain.slice(0, LONGEST_NAME)}…` : plain;
}
