/** The link of a widget's model to its kernel, as JupyterLab sees it. */
import type { Kernel, KernelMessage } from '@jupyterlab/services';

import type { Link, LinkState } from './link';

/** What is needed of a model of @jupyter-widgets/base. */
export interface Closable {
  once(event: 'destroy', listener: () => void): void;
}

export class KernelLink implements Link {
  constructor(
    model: Closable,
    private readonly kernel: Kernel.IKernelConnection
  ) {
    model.once('destroy', () => {
      this.isClosed = true;
      this.tell();
      this.end();
    });
    kernel.statusChanged.connect(this.noteStatus, this);
    kernel.iopubMessage.connect(this.noteProcess, this);
    kernel.connectionStatusChanged.connect(this.tell, this);
    kernel.disposed.connect(this.tell, this);
  }

  get state(): LinkState {
    const { status, connectionStatus, isDisposed } = this.kernel;
    if (isDisposed || status === 'dead' || status === 'terminating') {
      return 'gone';
    }
    if (this.wasRestarted || this.isClosed) {
      return this.isRestarting ? 'restarting' : this.wasRestarted ? 'restarted' : 'closed';
    }
    return connectionStatus === 'connected' ? 'live' : connectionStatus;
  }

  get kernelId(): string {
    return this.kernel.id;
  }

  get isBusy(): boolean {
    return !this.kernel.isDisposed && this.kernel.status === 'busy';
  }

  listen(listener: () => void, signal: AbortSignal): void {
    this.listeners.add(listener);
    signal.addEventListener('abort', () => {
      this.listeners.delete(listener);
      this.end();
    });
  }

  /** What is drawn is told of its kernel also when its model is closed; then nobody needs to hear more. */
  private end(): void {
    if (this.isClosed && this.listeners.size === 0) {
      this.kernel.statusChanged.disconnect(this.noteStatus, this);
      this.kernel.iopubMessage.disconnect(this.noteProcess, this);
      this.kernel.connectionStatusChanged.disconnect(this.tell, this);
      this.kernel.disposed.disconnect(this.tell, this);
    }
  }

  private noteStatus(): void {
    this.wasRestarted ||= this.isRestarting;
    this.tell();
  }

  /**
   * A restart that another window asked for is told to nobody else, but the new process has a session of its own. Only a
   * kernel is busy or idle: the server signs other states with its own session.
   */
  private noteProcess(_: unknown, { header, content }: KernelMessage.IIOPubMessage): void {
    const state = (content as { execution_state?: unknown }).execution_state;
    if (header.msg_type !== 'status' || (state !== 'busy' && state !== 'idle')) {
      return;
    }
    if (this.process !== null && this.process !== header.session && !this.wasRestarted) {
      this.wasRestarted = true;
      this.tell();
    }
    this.process = header.session;
  }

  private get isRestarting(): boolean {
    return this.kernel.status === 'restarting' || this.kernel.status === 'autorestarting';
  }

  private tell(): void {
    [...this.listeners].forEach(listener => listener());
  }

  private readonly listeners = new Set<() => void>();
  private process: string | null = null;
  private wasRestarted = false;
  private isClosed = false;
}
