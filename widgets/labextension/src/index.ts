/** The plugins of the extension; each stands in a file of its own. */
import { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { insertPlugin } from './insert';
import { panelPlugin } from './panel';
import { statePlugin } from './state';

const plugins: JupyterFrontEndPlugin<unknown>[] = [statePlugin, insertPlugin, panelPlugin];

export default plugins;
