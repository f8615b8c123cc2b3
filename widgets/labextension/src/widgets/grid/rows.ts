// The texts of the cells, in blocks that are fetched when they are looked at and forgotten when others were since.
import { tableFromIPC } from '@uwdata/flechette';
import type { Kernel } from './kernel';
import type { GridInfo, View } from './types';

const BLOCK_ROWS = 200;
const BLOCK_COLUMNS = 20;
const KEPT_BLOCKS = 80;

/** `undefined`: not here yet; `null`: NULL. */
export type Text = string | null | undefined;

interface Block {
  columns: (string | null)[][];
}

export class Rows {
  /** Rows of the present view. */
  count: number;
  view: View = { sort: [], filters: [] };

  /**
   * @param onBlock - told when cells arrived that were not there before.
   * @param onError - told when the kernel refuses.
   */
  constructor(
    private readonly kernel: Kernel,
    private readonly info: GridInfo,
    preview: DataView,
    private readonly onBlock: () => void,
    private readonly onError: (error: unknown) => void
  ) {
    this.count = info.rows;
    this.preview = decoded(preview);
  }

  /** Keep what is here and show nothing else: nobody answers any more. */
  freeze(): void {
    if (this.kept !== null) {
      return;
    }
    const rows = new Set<number>();
    const add = (first: number, block: Block): void => {
      const count = Math.max(0, ...block.columns.map(texts => texts.length));
      for (let row = first; row < Math.min(first + count, this.count); row += 1) {
        rows.add(row);
      }
    };
    if (this.isPlain) {
      add(0, this.preview);
    }
    this.blocks.forEach((block, key) => add(Number(key.split('/')[0]) * BLOCK_ROWS, block));
    this.kept = [...rows].sort((a, b) => a - b);
    this.count = this.kept.length;
  }

  get isFrozen(): boolean {
    return this.kept !== null;
  }

  /** The place of a shown row in its view, from 0. */
  placeOf(row: number): number {
    return this.kept?.[row] ?? row;
  }

  text(shown: number, column: number): Text {
    const row = this.placeOf(shown);
    const key = blockKey(row, column);
    const text = this.blocks.get(key)?.columns[column % BLOCK_COLUMNS]?.[row % BLOCK_ROWS];
    return text === undefined && this.isPlain ? this.preview.columns[column]?.[row] : text;
  }

  /** Fetch what is missing of the rows `top` to before `bottom`; resolves when all is here. */
  async load(left: number, top: number, right: number, bottom: number): Promise<void> {
    const waits: Promise<void>[] = [];
    if (this.isFrozen) {
      return;
    }
    for (let row = top - (top % BLOCK_ROWS); row < bottom; row += BLOCK_ROWS) {
      for (let column = left - (left % BLOCK_COLUMNS); column < right; column += BLOCK_COLUMNS) {
        waits.push(this.block(row, column));
      }
    }
    await Promise.all(waits);
  }

  /** Look at other rows, or in another order; throws, and changes nothing, when the kernel refuses. */
  async look(view: View): Promise<void> {
    const { content, buffers } = await this.kernel.ask<{ rows: number }>({
      ask: 'window',
      start: 0,
      stop: BLOCK_ROWS,
      first: 0,
      last: BLOCK_COLUMNS,
      view,
      chosen: true
    });
    this.view = view;
    this.generation += 1;
    this.blocks.clear();
    this.asked.clear();
    this.count = content.rows;
    this.keep(blockKey(0, 0), decoded(buffers[0]));
  }

  get isPlain(): boolean {
    return this.view.sort.length === 0 && this.view.filters.length === 0;
  }

  private block(row: number, column: number): Promise<void> {
    const key = blockKey(row, column);
    const here = this.blocks.get(key);
    if (here !== undefined) {
      this.keep(key, here);
      return Promise.resolve();
    }
    let asked = this.asked.get(key);
    if (asked === undefined) {
      asked = this.fetch(row, column, key);
      this.asked.set(key, asked);
    }
    return asked;
  }

  private async fetch(row: number, column: number, key: string): Promise<void> {
    const generation = this.generation;
    try {
      const { buffers } = await this.kernel.ask({
        ask: 'window',
        start: row,
        stop: row + BLOCK_ROWS,
        first: column,
        last: Math.min(column + BLOCK_COLUMNS, this.info.columns.length),
        view: this.view
      });
      if (generation === this.generation) {
        this.keep(key, decoded(buffers[0]));
        this.asked.delete(key);
        this.onBlock();
      }
    } catch (error) {
      this.onError(error); // the block stays asked for: asking again would be refused again
    }
  }

  private keep(key: string, block: Block): void {
    this.blocks.delete(key);
    this.blocks.set(key, block); // a Map remembers the order
    for (const oldest of this.blocks.keys()) {
      if (this.blocks.size <= KEPT_BLOCKS) {
        break;
      }
      this.blocks.delete(oldest);
    }
  }

  private readonly preview: Block;
  private readonly blocks = new Map<string, Block>();
  private readonly asked = new Map<string, Promise<void>>();
  private generation = 0;
  private kept: number[] | null = null;
}

function blockKey(row: number, column: number): string {
  return `${Math.floor(row / BLOCK_ROWS)}/${Math.floor(column / BLOCK_COLUMNS)}`;
}

/** Arrow's columns of texts; copied first, because Arrow's numbers must start at a multiple of eight. */
function decoded(bytes: DataView | undefined): Block {
  if (!(bytes instanceof DataView) || bytes.byteLength === 0) {
    return { columns: [] };
  }
  const copy = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
  const table = tableFromIPC(copy);
  const columns: (string | null)[][] = [];
  for (let place = 0; place < table.numCols; place += 1) {
    columns.push([...table.getChildAt(place)] as (string | null)[]);
  }
  return { columns };
}
