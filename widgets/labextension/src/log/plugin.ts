/** The query log as a plugin: one panel in the main area. */
import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { historyIcon } from '@jupyterlab/ui-components';

import { followSettings } from '../settings';
import { addBeside, show } from '../shell';
import { CommandIDs, ITusk } from '../tokens';
import { LogPanel } from './panel';

export const logPlugin: JupyterFrontEndPlugin<void> = {
  id: 'tusk-jupyter:log',
  description: 'The query log of all notebooks.',
  autoStart: true,
  requires: [ITusk],
  optional: [ILayoutRestorer, ICommandPalette, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    tusk: ITusk,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    settings: ISettingRegistry | null
  ) => {
    let hideTools = true;
    const tracker = new WidgetTracker<MainAreaWidget<LogPanel>>({ namespace: 'tusk-log' });
    void followSettings<{ hideTools: boolean }>(settings, logPlugin.id, set => {
      hideTools = set.hideTools;
      tracker.forEach(({ content }) => content.filters.hideTools(hideTools)); // one that was restored before, too
    });
    app.commands.addCommand(CommandIDs.openLog, {
      label: 'Query Log',
      caption: 'Open the query log of all notebooks',
      icon: historyIcon,
      execute: () => {
        let widget = tracker.currentWidget;
        if (!widget || widget.isDisposed) {
          const content = new LogPanel(tusk, app.commands, hideTools);
          widget = new MainAreaWidget({ content });
          widget.id = 'tusk-log';
          void tracker.add(widget);
          addBeside(app, widget, { mode: 'split-bottom', type: 'Query Log' });
        }
        show(app, widget);
      }
    });
    palette?.addItem({ command: CommandIDs.openLog, category: 'Tusk' });
    void restorer?.restore(tracker, { command: CommandIDs.openLog, name: () => 'tusk-log' });
  }
};
