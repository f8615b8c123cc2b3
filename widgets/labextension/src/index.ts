/** The plugins of the extension; each stands in a file of its own. */
import { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { completionPlugin } from './cells/completion';
import { cellsPlugin } from './cells/plugin';
import { insertPlugin } from './insert';
import { logPlugin } from './log/plugin';
import { originPlugin } from './origin';
import { panelPlugin } from './panel';
import { statePlugin } from './state';
import { widgetOutputPlugin, widgetsPlugin } from './widgetOutput';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  statePlugin,
  insertPlugin,
  originPlugin,
  logPlugin,
  panelPlugin,
  cellsPlugin,
  completionPlugin,
  widgetOutputPlugin,
  widgetsPlugin
];

export default plugins;
