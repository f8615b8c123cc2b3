import type { RenderProps } from '@anywidget/types';

import { UNKNOWN_LINK } from './link';
import { Channel } from './picker/channel';
import type { PickerState } from './picker/messages';
import { PickerView } from './picker/view';

/** Draws one view of the picker; anywidget calls this for each place where it is displayed. */
function render({ model, el, signal }: RenderProps<PickerState>): void {
  const channel = new Channel(model, signal, UNKNOWN_LINK);
  const view = new PickerView(channel, model.get('value'));
  el.append(view.node);
  view.start();
}

export default { render };
