/**
 * One long poll for all panels.
 *
 * It runs only while somebody holds it and the window is seen: a browser gives all windows of one server six connections
 * together. The core does not count a poll as use, and none is started for it.
 */
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api } from './api';
import { IChanges } from './messages';

const POLL_S = 20;
const LONGEST_PAUSE_MS = 30_000;

export class Changes {
  constructor(private readonly api: Api) {
    document.addEventListener('visibilitychange', () => this.resume());
  }

  /** The topics that changed: connections, runs, log, schema, queries, preferences. */
  get changed(): ISignal<this, ReadonlySet<string>> {
    return this._changed;
  }

  /** Emitted when a poll fails: what is known may be old. */
  get lost(): ISignal<this, void> {
    return this._lost;
  }

  /** Whether the last poll was answered. */
  get isHeard(): boolean {
    return this.heard;
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
    } else if (!this.running) {
      this.running = new AbortController();
      void this.poll(this.running.signal);
    }
  }

  private async poll(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const changes = await this.api.changes(this.last, POLL_S, signal);
        failures = 0;
        this.take(changes);
      } catch {
        if (!signal.aborted) {
          failures += 1;
          this.lose();
          await pause(Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** failures), signal);
        }
      }
    }
  }

  private take(changes: IChanges): void {
    const known = this.last?.core === changes.core ? this.last.counts : {};
    const topics = Object.keys(changes.counts).filter(topic => known[topic] !== changes.counts[topic]);
    this.last = changes;
    if (!this.heard) {
      this.heard = true;
      topics.push('connections');
    }
    if (topics.length > 0) {
      this._changed.emit(new Set(topics));
    }
  }

  private lose(): void {
    if (this.heard) {
      this.heard = false;
      this._lost.emit();
    }
  }

  private holders = 0;
  private heard = true;
  private last: IChanges | null = null;
  private running: AbortController | null = null;
  private _changed = new Signal<this, ReadonlySet<string>>(this);
  private _lost = new Signal<this, void>(this);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
