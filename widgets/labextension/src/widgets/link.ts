/** Whether the kernel behind a widget can answer, and what is to be said when it cannot. */

export type LinkState =
  | 'live'
  | 'connecting' // the connection to the server is lost, and tried again
  | 'disconnected' // … and given up
  | 'restarting'
  | 'restarted' // the kernel runs, but knows nothing of this widget any more
  | 'gone' // no kernel
  | 'closed'; // the kernel let go of this widget

export interface Link {
  readonly state: LinkState;
  /** Jupyter's id of the kernel; null where nobody knows it. */
  readonly kernelId: string | null;
  /** Whether the kernel runs something, and so answers later. */
  readonly isBusy: boolean;
  /** Call `listener` at each change, until `signal` aborts. */
  listen(listener: () => void, signal: AbortSignal): void;
}

/** Where nobody says how the kernel is: front ends that draw by anywidget. */
export const UNKNOWN_LINK: Link = {
  state: 'live',
  kernelId: null,
  isBusy: false,
  listen: () => undefined
};

const PROBLEMS: Record<LinkState, string | null> = {
  live: null,
  connecting: 'The connection to the kernel is lost; it is being tried again.',
  disconnected:
    'The connection to the kernel is lost. “Reconnect to Kernel” in the menu Kernel tries it again.',
  restarting: 'The kernel is restarting.',
  restarted: 'The kernel was restarted. Run `%load_ext tusk_jupyter`, then the cell again.',
  gone: 'The kernel has ended. Start one, run `%load_ext tusk_jupyter`, then the cell again.',
  closed: 'The kernel has let go of this. Run the cell again.'
};

/** What is wrong, or null. */
export function linkProblem(link: Link): string | null {
  return PROBLEMS[link.state];
}

/** Whether the widget will never be answered again. */
export function hasEnded(link: Link): boolean {
  return ['restarting', 'restarted', 'gone', 'closed'].includes(link.state);
}
