/** The plugin that talks to the core for all others. */
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { Api } from './api';
import { Changes } from './changes';
import { Connections } from './connections';
import { ITusk } from './tokens';

export const statePlugin: JupyterFrontEndPlugin<ITusk> = {
  id: 'tusk-jupyter:state',
  description: 'Talks to the Tusk core through the Jupyter server.',
  autoStart: true,
  provides: ITusk,
  activate: (app: JupyterFrontEnd) => {
    const api = new Api(app.serviceManager.serverSettings);
    const changes = new Changes(api);
    return { api, changes, connections: new Connections(api, changes) };
  }
};
