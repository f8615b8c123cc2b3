import type { AnyModel } from '@anywidget/types';

import { beginPick } from '../../picks';
import { hasEnded, linkProblem, type Link } from '../link';
import type { Line, PickerState, WireError } from './messages';

/** What the kernel answered when it could not do what was asked. */
export class KernelError extends Error {
  constructor(readonly wire: WireError) {
    super(wire.message);
  }
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: KernelError): void;
}

type Heard = { re?: string; ok?: unknown; error?: WireError; kind?: string; lines?: Line[] };

const HEARTBEAT_MS = 60_000;

/** One view's messages to the kernel and back; nothing of them is widget state. */
export class Channel {
  readonly view = randomId();
  private waiting = new Map<string, Waiting>();
  private asked = 0;

  constructor(
    private model: AnyModel<PickerState>,
    readonly signal: AbortSignal,
    readonly link: Link
  ) {
    const hear = (heard: Heard) => this.hear(heard);
    model.on('msg:custom', hear);
    const beat = setInterval(() => this.watch(), HEARTBEAT_MS);
    signal.addEventListener('abort', () => {
      clearInterval(beat);
      model.off('msg:custom', hear);
      this.post({ kind: 'leave', id: this.nextId(), view: this.view });
      this.abandon();
    });
  }

  /** Called with the list whenever the kernel says that it changed. */
  onLines: (lines: Line[]) => void = () => undefined;

  /** Says that this view is displayed; the answer brings the list. */
  watch(): void {
    this.ask<{ lines: Line[] }>('watch', { view: this.view }).then(
      ({ lines }) => this.onLines(lines),
      (error: unknown) => this.onTrouble(error)
    );
  }

  /** Called when the list cannot be had. */
  onTrouble: (error: unknown) => void = () => undefined;

  /** Asks the kernel to choose a connection; what the cells say of it is not known until the answer. */
  async pick({ id, name }: Line): Promise<Line[]> {
    const end = beginPick(this.link.kernelId);
    try {
      return (await this.ask<{ lines: Line[] }>('pick', { name, connection: id })).lines;
    } finally {
      end();
    }
  }

  /**
   * Asks the kernel. Secrets go beside the message, as buffers: what logs messages does not log them.
   */
  ask<T>(kind: string, body: object = {}, secrets: Record<string, string> = {}): Promise<T> {
    const id = this.nextId();
    const typed = Object.keys(secrets);
    const encoder = new TextEncoder();
    const buffers = typed.map(name => encoder.encode(secrets[name]));
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      const sent = this.post({ ...body, kind, id, ...(typed.length ? { typed } : {}) }, buffers);
      if (!sent) {
        this.waiting.delete(id);
        reject(this.trouble());
      }
    });
  }

  private hear(heard: Heard): void {
    if (heard.kind === 'lines' && heard.lines) {
      this.onLines(heard.lines);
      return;
    }
    const waiting = this.waiting.get(heard.re ?? '');
    if (!waiting) {
      return; // an answer to another view of the same widget
    }
    this.waiting.delete(heard.re ?? '');
    if (heard.error) {
      waiting.reject(new KernelError(heard.error));
    } else {
      waiting.resolve(heard.ok);
    }
  }

  /** The link ended: what is awaited does not come. */
  abandon(): void {
    this.waiting.forEach(waiting => waiting.reject(this.trouble()));
    this.waiting.clear();
  }

  private trouble(): KernelError {
    return new KernelError({ message: linkProblem(this.link) ?? 'The kernel cannot be reached.' });
  }

  private post(content: object, buffers: ArrayBufferView[] = []): boolean {
    try {
      this.model.send(content, undefined, buffers);
      return !hasEnded(this.link);
    } catch {
      return false; // the widget's comm is closed
    }
  }

  private nextId(): string {
    this.asked += 1;
    return `${this.view}:${this.asked}`;
  }
}

/** Unlike `crypto.randomUUID`, there also where the page came over plain HTTP. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), part => part.toString(36)).join('');
}

/** The words of whatever went wrong. */
export function wordsOf(error: unknown): WireError {
  return error instanceof KernelError ? error.wire : { message: String(error) };
}
