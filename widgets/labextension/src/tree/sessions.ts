/** Who has a session on a connection, for its dot and its tooltip: a pure function of what is known. */
import { notebook } from '../log/format';
import { IConnection } from '../messages';

/** What the tree saw of a connection itself. */
export type Seen = 'new' | 'loading' | 'loaded' | 'failed';

/** The state that the dot shows, and the same in words. */
export interface ISessions {
  state: string;
  words: string;
}

const OWN: Record<Seen, string> = {
  new: 'disconnected',
  loading: 'connecting',
  loaded: 'read',
  failed: 'failed'
};

/** The panel's own session is one among those of notebooks and programs: "disconnected" would be false of theirs. */
export function sessionsOf(
  seen: Seen,
  { state, others = [] }: Pick<IConnection, 'state' | 'others'>
): ISessions {
  // What was read may have been read by another session, or by one that is closed since.
  const own = state === 'disconnected' || seen === 'loading' || seen === 'failed' ? OWN[seen] : state;
  const open = [...others.map(notebook), ...(own === 'connected' ? ['this panel'] : [])];
  const isQuiet = own === 'connected' || own === 'disconnected';
  const words = [
    open.length > 0 && `open in ${open.join(', ')}`,
    !isQuiet && `${own} in this panel`,
    isQuiet && open.length === 0 && 'not open'
  ];
  return {
    state: own === 'read' || (own === 'disconnected' && others.length > 0) ? 'connected' : own,
    words: words.filter(Boolean).join(', ')
  };
}
