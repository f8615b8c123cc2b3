// The whole result as a file: beside the notebook, or as a download.
import { visible } from '../../visible';
import { openDialog } from './dialog';
import { button, element, errorText, input, number, rowsText, select } from './dom';
import type { Kernel } from './kernel';
import type { GridInfo, View } from './types';

interface Exported {
  exists?: string;
  path?: string;
  name?: string;
  mime?: string;
  rows: number;
  bytes: number;
  notes: string[];
}

export function openExport(
  root: HTMLElement,
  kernel: Kernel,
  info: GridInfo,
  view: View,
  count: number,
  anchor: DOMRect
): void {
  const form = element('form', { className: 'tusk-form' });
  const format = select(
    'Format',
    info.formats.map(each => [each.name, each.label] as const)
  );
  const isPlain = view.sort.length === 0 && view.filters.length === 0;
  const rows = select('Rows', [
    ['view', isPlain ? `all ${rowsText(count)}` : `as shown: ${rowsText(count)}, filtered and sorted`],
    ...(isPlain ? [] : [['all', `all ${rowsText(info.rows)} as fetched`] as const])
  ]);
  const name = input('File name', `result${info.formats[0]?.ending ?? ''}`);
  const dialect = select(
    'Dialect',
    info.dialects.map(each => [each, each] as const),
    info.dialects.includes(info.dialect) ? info.dialect : 'postgresql'
  );
  const table = input('Table', 'result');
  const overwrite = element('input');
  overwrite.type = 'checkbox';
  const overwriteLabel = element(
    'label',
    { className: 'tusk-wide' },
    overwrite,
    ' Replace the file that is there'
  );
  overwriteLabel.hidden = true;
  const said = element('div', { className: 'tusk-said tusk-wide', attributes: { role: 'status' } });
  const forInsert = [field('Dialect', dialect), field('Table', table)];
  const update = (): void => {
    const ending = info.formats.find(each => each.name === format.value)?.ending ?? '';
    name.value = name.value.replace(/\.[^.]*$/, '') + ending;
    for (const each of forInsert) {
      each.hidden = format.value !== 'insert';
    }
    overwriteLabel.hidden = true;
    said.textContent = '';
  };
  const run = async (isDownload: boolean): Promise<void> => {
    said.textContent = 'Writing…';
    said.classList.remove('tusk-problem');
    save.disabled = download.disabled = true;
    try {
      const { content } = await kernel.ask<Exported>({
        ask: 'export',
        export: {
          format: format.value,
          name: name.value,
          overwrite: overwrite.checked,
          dialect: dialect.value,
          table: table.value
        },
        download: isDownload,
        view: rows.value === 'all' ? { sort: [], filters: [] } : view
      });
      if (content.exists !== undefined) {
        overwriteLabel.hidden = false;
        said.textContent = visible(`The file ${content.exists} exists already.`);
      } else {
        if (isDownload) {
          await fetchAll(kernel, content, part => (said.textContent = `Fetching… ${part} %`));
        }
        said.textContent = visible(done(content));
      }
    } catch (error) {
      said.textContent = errorText(error);
      said.classList.add('tusk-problem');
    }
    save.disabled = download.disabled = false;
  };
  const save = element(
    'button',
    { className: 'tusk-button', title: 'Write it into the folder of the notebook' },
    'Save beside the notebook'
  );
  save.type = 'submit';
  const download = button('Download', () => void run(true));
  format.addEventListener('change', update);
  form.addEventListener('submit', event => {
    event.preventDefault();
    void run(false);
  });
  form.append(
    field('Format', format),
    field('Rows', rows),
    field('File name', name),
    ...forInsert,
    overwriteLabel,
    element('div', { className: 'tusk-dialog-buttons tusk-wide' }, save, download),
    said
  );
  update();
  openDialog(root, 'Export', 'tusk-export-dialog', [form], anchor);
  format.focus();
}

function field(label: string, control: HTMLElement): HTMLElement {
  return element('label', { className: 'tusk-field' }, element('span', {}, label), control);
}

function done(exported: Exported): string {
  const size =
    exported.bytes < 1000
      ? `${exported.bytes} bytes`
      : exported.bytes < 1e6
        ? `${(exported.bytes / 1e3).toFixed(1)} kB`
        : `${number(Math.round(exported.bytes / 1e5) / 10)} MB`;
  const where =
    exported.path === undefined ? `downloaded as ${exported.name ?? ''}` : `written to ${exported.path}`;
  return [`${rowsText(exported.rows)} ${where} (${size}).`, ...exported.notes].join(' ');
}

async function fetchAll(
  kernel: Kernel,
  exported: Exported,
  onProgress: (percent: number) => void
): Promise<void> {
  const parts: BlobPart[] = [];
  let offset = 0;
  while (offset < exported.bytes) {
    const { buffers } = await kernel.ask({ ask: 'piece', offset });
    const piece = buffers[0];
    if (piece === undefined || piece.byteLength === 0) {
      throw new Error('The kernel sent less than it had written. Export again.');
    }
    parts.push(new Uint8Array(piece.buffer as ArrayBuffer, piece.byteOffset, piece.byteLength).slice());
    offset += piece.byteLength;
    onProgress(Math.floor((100 * offset) / exported.bytes));
  }
  const url = URL.createObjectURL(new Blob(parts, { type: exported.mime ?? '' }));
  const link = element('a');
  link.href = url;
  link.download = exported.name ?? 'result';
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
