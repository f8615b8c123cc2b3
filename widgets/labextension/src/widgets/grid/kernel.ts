// Questions to the kernel and their answers, told apart by numbers of this view's own.
import type { AnyModel } from '@anywidget/types';
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
  resolve: (answer: Answer<never>) => void;
  reject: (error: Error) => void;
}

export class Kernel {
  /**
   * @param onWaiting - told when an answer takes long, and when none is awaited any more.
   */
  constructor(
    private readonly model: AnyModel<GridState>,
    private readonly signal: AbortSignal,
    private readonly onWaiting: (isWaiting: boolean) => void
  ) {
    const listener = (content: Record<string, unknown>, buffers: DataView[]): void =>
      this.take(content, buffers);
    model.on('msg:custom', listener);
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
        resolve: resolve as Pending['resolve'],
        reject
      });
      this.model.send({ id, ...content });
    });
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
}
