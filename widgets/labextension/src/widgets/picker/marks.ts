import { h } from './dom';
import { sign } from './glyphs';
import type { Line } from './messages';

/** The marks of a connection: each is a word or has one, so that none depends on its colour. */

const STATES: Record<string, { word: string; kind: string }> = {
  connected: { word: 'open', kind: 'open' },
  connecting: { word: 'connecting', kind: 'connecting' },
  disconnecting: { word: 'closing', kind: 'connecting' },
  failed: { word: 'failed', kind: 'failed' },
  disconnected: { word: 'idle', kind: 'idle' }
};

const TIERS: Record<string, string> = {
  keyring: "The secret is in the system's keyring.",
  vault: 'The secret is in the sealed vault.',
  memory: "The secret is in the core's memory, and goes with it.",
  command: 'A command gives the password at each sign-in.'
};

/** The dot of a session's state: filled, hollow, half or crossed, with its word as a tooltip and for screen readers. */
export function dot(state: string): HTMLElement {
  const { word, kind } = STATES[state] ?? STATES['disconnected']!;
  return h(
    'span',
    { class: `tusk-dot tusk-dot-${kind}`, 'data-state': word, title: `Session: ${word}` },
    h('span', { class: 'tusk-hidden' }, `${word}, `)
  );
}

export function environmentMark(environment: string): HTMLElement {
  const known = ['production', 'staging', 'development'].includes(environment) ? environment : 'other';
  return h(
    'span',
    { class: `tusk-mark tusk-env tusk-env-${known}`, 'data-environment': environment },
    environment
  );
}

/** All marks of a line, the loudest last, at the right edge. */
export function marks(line: Line, isNew = false): HTMLElement {
  return h(
    'span',
    { class: 'tusk-marks' },
    isNew && h('span', { class: 'tusk-mark', title: 'Added while this list is open' }, 'new'),
    line.missing &&
      h(
        'span',
        { class: 'tusk-mark tusk-mark-missing' },
        sign('warning', 13),
        line.current ? 'removed: choose another one' : 'removed'
      ),
    line.tier !== null &&
      h(
        'span',
        {
          class: `tusk-mark tusk-mark-${line.secret_lost ? 'missing' : 'tier'}`,
          title: line.secret_lost
            ? 'The password was in the memory of a core that has ended: give it again.'
            : (TIERS[line.tier] ?? line.tier)
        },
        sign('key', 13),
        line.secret_lost ? `${line.tier}: missing` : line.tier
      ),
    line.read_only &&
      h(
        'span',
        { class: 'tusk-mark tusk-mark-readonly', title: 'The server refuses changes.' },
        sign('lock', 13),
        'read-only'
      ),
    line.environment !== null && environmentMark(line.environment)
  );
}
