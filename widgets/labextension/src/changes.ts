/**
 * One long poll for all panels.
 *
 * It runs only while somebody holds it and the window is seen: a browser gives all windows of one server six connections
 * together. The core does not count a poll as use, and none is started for it.
 */
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError, describeError } from './api';
import { IChanges } from './messages';

const POLL_S = 20;
const LONGEST_PAUSE_MS = 30_000;
/** After the server has waited for a core that does not answer: it comes back at any time. */
const UNANSWERED = 503;
const UNANSWERED_PAUSE_MS = 1000;

export class Changes {
  constructor(private readonly api: Api) {
    document.addEventListener('visibilitychange', () => this.resume());
  }

  /** The topics that changed: connections, runs, log, schema, queries, preferences. */
  get changed(): ISignal<this, ReadonlySet<string>> {
    return this._changed;
  }

  /** Emitted when polls begin to fail: what is known may be old. */
  get lost(): ISignal<this, void> {
    return this._lost;
  }

  /** Whether the last poll was answered, and none was left out since. */
  get isHeard(): boolean {
    return this._doubt === null && !this.wasAway;
  }

  /** Why what is shown may be old, in words; null as long as the core answers. */
  get doubt(): string | null {
    return this._doubt;
  }

  /** Emits when that changes. */
  get doubtChanged(): ISignal<this, void> {
    return this._doubtChanged;
  }

  /** Whether nothing was asked for a while, as nobody saw it, and what happened then is not known. */
  get isBehind(): boolean {
    return this.wasAway;
  }

  /** The core itself has answered: what happened while the window was not seen is known. */
  catchUp(): void {
    this.wasAway = false;
  }

  /** Keep polling until the result is disposed. */
  hold(): IDisposable {
    this.holders += 1;
    this.resume();
    return new DisposableDelegate(() => {
      this.holders -= 1;
      this.resume();
    });
  }

  private get wanted(): boolean {
    return this.holders > 0 && !document.hidden;
  }

  private resume(): void {
    if (!this.wanted) {
      this.running?.abort();
      this.running = null;
      this.wasAway = this.last !== null;
    } else if (!this.running) {
      this.running = new AbortController();
      void this.poll(this.running.signal);
      if (this.wasAway) {
        this._lost.emit();
      }
    }
  }

  private async poll(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const changes = await this.api.changes(this.last, POLL_S, signal);
        failures = 0;
        this.take(changes);
      } catch (error) {
        if (!signal.aborted) {
          failures += 1;
          this.lose(doubtOf(error));
          const longest = isUnanswered(error) ? UNANSWERED_PAUSE_MS : LONGEST_PAUSE_MS;
          await pause(Math.min(longest, 1000 * 2 ** failures), signal);
        }
      }
    }
  }

  private take(changes: IChanges): void {
    const known = this.last?.core === changes.core ? this.last.counts : {};
    const topics = Object.keys(changes.counts).filter(topic => known[topic] !== changes.counts[topic]);
    this.last = changes;
    const [wasHeard, wasDoubted] = [this.isHeard, this._doubt !== null];
    this._doubt = null;
    if (!wasHeard) {
      topics.push('connections');
    }
    if (topics.length > 0) {
      this._changed.emit(new Set(topics));
    }
    if (wasDoubted) {
      this._doubtChanged.emit();
    }
  }

  private lose(doubt: string): void {
    const { isHeard } = this;
    if (doubt !== this._doubt) {
      this._doubt = doubt;
      this._doubtChanged.emit();
    }
    if (isHeard) {
      this._lost.emit();
    }
  }

  private holders = 0;
  private last: IChanges | null = null;
  private wasAway = false;
  private running: AbortController | null = null;
  private _changed = new Signal<this, ReadonlySet<string>>(this);
  private _lost = new Signal<this, void>(this);
  private _doubt: string | null = null;
  private _doubtChanged = new Signal<this, void>(this);
}

function isUnanswered(error: unknown): boolean {
  return error instanceof ApiError && error.status === UNANSWERED;
}

function doubtOf(error: unknown): string {
  const cause = isUnanswered(error)
    ? 'the core does not answer'
    : error instanceof ApiError
      ? describeError(error).message
      : 'the Jupyter server does not answer';
  return `not up to date: ${cause}`;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end); // one signal outlives the pauses of a whole day
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
