/** What a form makes of a connection that was changed elsewhere while it was open. */
import type { Value } from './messages';

/** The driver's fields as they stand in a form. */
export type Entries = Map<string, string | boolean>;

/** The fields of a stored connection as a form shows them. */
export function storedIn(config: Record<string, Value>): Entries {
  return new Map(
    Object.entries(config).map(([name, value]) => [name, typeof value === 'boolean' ? value : String(value)])
  );
}

/** The names of the fields that are not the same in both. */
export function differing(one: Entries, other: Entries): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter(name => one.get(name) !== other.get(name));
}

/** What was entered since `before` was stored, and for all else what is stored `now`. */
export function merged(mine: Entries, before: Entries, now: Entries): Entries {
  const entered = [...mine].filter(([name, value]) => value !== (before.get(name) ?? ''));
  return new Map([...now, ...entered]);
}
