/** Whether two spellings name one connection: as the core's `casefold`, so `%%sql PG` runs on the connection `pg`. */

/** What all spellings of a name have in common. Upper case first: only that way is `ſ` the letter `s` and `ß` two of them. */
export function folded(name: string): string {
  // `ı` is the one letter whose capital belongs to another one, which the core tells apart.
  return name
    .split('ı')
    .map(part => part.toUpperCase().toLowerCase())
    .join('ı');
}
