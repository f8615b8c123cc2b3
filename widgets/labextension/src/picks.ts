/**
 * Choices that are under way in pickers of this page: until one is answered, nobody knows what is current in its kernel.
 *
 * Told by events of the document, for a picker may be drawn by anywidget, whose code is another bundle.
 */

const PICK = 'tusk-pick';

export interface IPick {
  /** Jupyter's id of the kernel; null where it is not known. */
  readonly kernel: string | null;
}

/** Tell that something is being chosen; call the result when that has ended, however it did. */
export function beginPick(kernel: string | null): () => void {
  const pick: IPick = { kernel };
  const tell = (isOver: boolean): void => {
    document.dispatchEvent(new CustomEvent(PICK, { detail: { pick, isOver } }));
  };
  tell(false);
  return () => tell(true);
}

/** Call `listener` at the begin and at the end of each pick, until `signal` aborts. */
export function heedPicks(listener: (pick: IPick, isOver: boolean) => void, signal: AbortSignal): void {
  const hear = (event: Event): void => {
    const { pick, isOver } = (event as CustomEvent<{ pick: IPick; isOver: boolean }>).detail;
    listener(pick, isOver);
  };
  document.addEventListener(PICK, hear, { signal });
}
