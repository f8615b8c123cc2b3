// The result grid of a cell: draws windows of a result that stays in the kernel.
import type { RenderProps } from '@anywidget/types';
import { Grid } from './grid/grid';
import type { GridState } from './grid/types';

function render({ model, el, signal }: RenderProps<GridState>): void {
  new Grid(model, el, signal);
}

export default { render };
