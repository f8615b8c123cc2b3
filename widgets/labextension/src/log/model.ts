/**
 * The query log as the list shows it: newest first, page after page as one scrolls, and live at its top.
 *
 * A page is asked for by the `seq` of the entry before it, so that what comes meanwhile shifts nothing; in another order than
 * newest first, by its place, and what comes meanwhile brings all that is shown anew.
 */
import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ILogFilter, ILogOrder } from '../api';
import { ILogEntry, IRunState } from '../messages';

const PAGE = 100;
const LIVE_PAUSE_MS = 250;

export class LogModel {
  constructor(
    private readonly api: Api,
    public filter: ILogFilter = { tools: false }
  ) {
    this.live = new Debouncer(() => this.follow(), LIVE_PAUSE_MS);
  }

  /** Runs under way, of all kernels. */
  runs: IRunState[] = [];
  /** Ended runs, newest first, as far as they were asked for; those under way stand above the list, not in it. */
  entries: ILogEntry[] = [];
  /** All that match, or null while nobody knows. */
  total: number | null = null;
  hasMore = false;
  loading = false;
  error: unknown = null;
  sort: ILogOrder = { order: 'started', ascending: false };

  /** Emits how many entries came in on top since the list was drawn, or null when it is another list. */
  get changed(): ISignal<this, number | null> {
    return this._changed;
  }

  /** Show what matches another filter. */
  setFilter(filter: ILogFilter): Promise<void> {
    this.filter = filter;
    return this.reload();
  }

  /** Sort the whole log, not only what is loaded of it. */
  setSort(sort: ILogOrder): Promise<void> {
    this.sort = sort;
    return this.reload();
  }

  private get isNewestFirst(): boolean {
    return this.sort.order === 'started' && !this.sort.ascending;
  }

  async reload(): Promise<void> {
    const generation = ++this.generation;
    this.loading = true;
    this.error = null;
    this._changed.emit(0);
    try {
      const [page, runs] = await Promise.all([this.page(), this.api.runs()]);
      if (generation !== this.generation) {
        return;
      }
      this.runs = runs;
      this.take(page);
      this.hasMore = page.length === PAGE;
      this.total = null;
      void this.count(generation);
    } catch (error) {
      if (generation !== this.generation) {
        return;
      }
      this.error = error;
      this.take([]);
      this.hasMore = false;
    }
    this.loading = false;
    this._changed.emit(null);
  }

  /** Ask for the next page, if there is one and none is on its way. */
  async more(): Promise<void> {
    const last = this.loaded.at(-1);
    if (this.loading || !this.hasMore || !last) {
      return;
    }
    const generation = this.generation;
    this.loading = true;
    try {
      const page = await (this.isNewestFirst
        ? this.page(last.seq)
        : this.page(undefined, this.loaded.length));
      if (generation !== this.generation) {
        return;
      }
      this.take([...this.loaded, ...page]);
      this.hasMore = page.length === PAGE;
      this.error = null;
    } catch (error) {
      if (generation !== this.generation) {
        return;
      }
      this.error = error;
      this.hasMore = false;
    }
    this.loading = false;
    this._changed.emit(0);
  }

  /** Something happened in the core: bring the top of the list up to date, soon. */
  notice(): void {
    void this.live.invoke();
  }

  async cancel(run: string): Promise<void> {
    await this.api.cancel(run);
    this.runs = await this.api.runs();
    this.take(this.loaded);
    this._changed.emit(0);
  }

  async remove(run: string): Promise<void> {
    const entries = await this.api.deleteRuns([run]);
    this.take(this.loaded.filter(entry => entry.run !== run));
    this.total = this.total === null ? null : Math.max(0, this.total - entries);
    this._changed.emit(0);
  }

  private async page(before?: number, offset?: number, limit = PAGE): Promise<ILogEntry[]> {
    const sort = this.isNewestFirst ? {} : this.sort;
    return (await this.api.log(this.filter, { limit, before, offset, count: false, ...sort })).entries;
  }

  /** Counting what a text matches reads the whole log, so nothing waits for it. */
  private async count(generation: number): Promise<void> {
    try {
      const { total } = await this.api.log(this.filter, { limit: 1, count: true });
      if (generation === this.generation) {
        this.total = total;
        this._changed.emit(0);
      }
    } catch {
      this.total = null;
    }
  }

  private async follow(): Promise<void> {
    if (this.error !== null && !this.loading) {
      await this.reload(); // nobody knows what of it is here
      return;
    }
    const generation = this.generation;
    try {
      if (!this.isNewestFirst) {
        await this.followSorted(generation);
        return;
      }
      const [newest, runs] = await Promise.all([this.page(), this.api.runs()]);
      const gone = this.runs.filter(run => !runs.some(each => each.run === run.run));
      const ended = await Promise.all(
        this.loaded.filter(entry => isOf(entry, gone)).map(each => this.api.entry(each.run))
      );
      if (generation === this.generation && !this.loading) {
        this.runs = runs;
        this.takeNewest(newest, ended);
        void this.count(generation);
      }
    } catch {
      // The long poll goes on, says that this is old, and asks for all of it once the core answers again.
    }
  }

  private async followSorted(generation: number): Promise<void> {
    const wanted = Math.max(PAGE, this.loaded.length);
    const [loaded, runs] = await Promise.all([this.page(undefined, 0, wanted), this.api.runs()]);
    if (generation === this.generation && !this.loading) {
      this.runs = runs;
      this.take(loaded);
      this.hasMore = loaded.length === wanted;
      this._changed.emit(0);
      void this.count(generation);
    }
  }

  private takeNewest(newest: ILogEntry[], ended: ILogEntry[]): void {
    const oldest = newest.at(-1)?.seq ?? 0;
    if (newest.length === PAGE && oldest > (this.loaded[0]?.seq ?? 0)) {
      this.take(newest);
      this.hasMore = true;
      this._changed.emit(null);
      return;
    }
    const before = this.entries.length;
    const older = this.loaded.filter(entry => newest.length > 0 && entry.seq < oldest);
    this.take([...newest, ...older.map(entry => ended.find(each => each.run === entry.run) ?? entry)]);
    this._changed.emit(Math.max(0, this.entries.length - before));
  }

  private take(loaded: ILogEntry[]): void {
    this.loaded = loaded;
    this.entries = loaded.filter(entry => !isOf(entry, this.runs));
  }

  private loaded: ILogEntry[] = [];
  private generation = 0;
  private readonly live: Debouncer;
  private _changed = new Signal<this, number | null>(this);
}

function isOf(entry: ILogEntry, runs: readonly IRunState[]): boolean {
  return runs.some(run => run.run === entry.run);
}
