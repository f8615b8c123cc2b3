// The result grid for front ends that load no extension of ours: anywidget calls this for each place where it is displayed.
import type { RenderProps } from '@anywidget/types';
import { Grid } from './grid/grid';
import type { GridState } from './grid/types';
import { UNKNOWN_LINK } from './link';

function render({ model, el, signal }: RenderProps<GridState>): void {
  new Grid(model, el, signal, UNKNOWN_LINK);
}

export default { render };
