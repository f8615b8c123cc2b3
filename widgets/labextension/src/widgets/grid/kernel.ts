// Questions to the kernel and their answers, told apart by numbers of this view's own.
import type { AnyModel } from '@anywidget/types';
import { hasEnded, linkProblem, type Link } from '../link';
import type { GridState } from './types';

const PATIENCE_MS = 1500;

/** What the kernel said no to; the message has its hint. */
export class Refused extends Error {}

export interface Answer<T> {
  content: T;
  buffers: DataView[];
}

interface Pending {
  since: number;
  content: Record<string, unknown>;
  resolve: (answer: Answer<never>) => void;
  reject: (error: Error) => void;
}

export class Kernel {
  /**
   * @param onWaiting - told when an answer takes long, and when none is awaited any more.
   * @param onGone - told that the kernel has no rows any more, and why.
   */
  constructor(
    private readonly model: AnyModel<GridState>,
    private readonly signal: AbortSignal,
    private readonly link: Link,
    private readonly onWaiting: (isWaiting: boolean) => void,
    private readonly onGone: (words: string) => void
  ) {
    const listener = (content: Record<string, unknown>, buffers: DataView[]): void =>
      this.take(content, buffers);
    model.on('msg:custom', listener);
    link.listen(() => this.follow(), signal);
    const timer = window.setInterval(() => this.watch(), PATIENCE_MS / 3);
    signal.addEventListener('abort', () => {
      model.off('msg:custom', listener);
      window.clearInterval(timer);
      this.pending.clear();
    });
  }

  /** Ask; the promise fails with `Refused` when the kernel says no. */
  ask<T>(content: Record<string, unknown>): Promise<Answer<T>> {
    const id = `${this.prefix}-${(this.last += 1)}`;
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) {
        return;
      }
      this.pending.set(id, {
        since: performance.now(),
        content,
        resolve: resolve as Pending['resolve'],
        reject
      });
      this.post(id, content);
    });
  }

  private post(id: string, content: Record<string, unknown>): void {
    if (hasEnded(this.link)) {
      this.refuse(id, linkProblem(this.link) ?? '');
      return;
    }
    try {
      this.model.send({ id, ...content });
    } catch {
      this.refuse(id, 'The kernel cannot be reached.');
    }
  }

  private refuse(id: string, words: string): void {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    pending?.reject(new Refused(words));
  }

  /** Nobody answers any more; or the connection is back, and what was asked meanwhile may have been lost. */
  private follow(): void {
    const { state } = this.link;
    for (const [id, { content }] of [...this.pending]) {
      if (hasEnded(this.link)) {
        this.refuse(id, linkProblem(this.link) ?? '');
      } else if (state === 'live' && this.wasCut) {
        if (content['ask'] === 'export') {
          void this.settle(id);
        } else {
          this.post(id, content); // a question, which may be asked twice
        }
      }
    }
    this.wasCut = state !== 'live';
    this.watch();
  }

  /**
   * Give an export up that never reached the kernel, or whose answer is lost; repeated, it might write the file twice.
   * The kernel answers in order: what has no answer when a later question has its own will have none.
   */
  private async settle(id: string): Promise<void> {
    await this.ask({ ask: 'window', start: 0, stop: 0, first: 0, last: 0 }).catch(() => undefined);
    this.refuse(
      id,
      'The connection to the kernel was lost meanwhile, and whether the file was written is not known. ' +
        'Look for it, then export again.'
    );
  }

  private take(content: Record<string, unknown>, buffers: DataView[]): void {
    const id = String(content['id']);
    const pending = this.pending.get(id);
    if (pending === undefined) {
      return; // of another view
    }
    this.pending.delete(id);
    this.watch();
    if (typeof content['error'] === 'string') {
      const hint = typeof content['hint'] === 'string' ? ` ${content['hint']}` : '';
      pending.reject(new Refused(content['error'] + hint));
      if (content['gone'] === true) {
        this.onGone(content['error'] + hint);
      }
    } else {
      pending.resolve({ content: content as never, buffers });
    }
  }

  private watch(): void {
    const now = performance.now();
    const isWaiting = [...this.pending.values()].some(pending => now - pending.since > PATIENCE_MS);
    if (isWaiting !== this.isWaiting) {
      this.isWaiting = isWaiting;
      this.onWaiting(isWaiting);
    }
  }

  private readonly prefix = Math.random().toString(36).slice(2);
  private readonly pending = new Map<string, Pending>();
  private last = 0;
  private isWaiting = false;
  private wasCut = false;
}
