/** The plugins of the extension; each stands in a file of its own. */
import { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { cellsPlugin } from './cells/plugin';
import { gridOutputPlugin } from './gridOutput';
import { insertPlugin } from './insert';
import { logPlugin } from './log/plugin';
import { originPlugin } from './origin';
import { panelPlugin } from './panel';
import { statePlugin } from './state';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  statePlugin,
  insertPlugin,
  originPlugin,
  logPlugin,
  panelPlugin,
  cellsPlugin,
  gridOutputPlugin
];

export default plugins;
