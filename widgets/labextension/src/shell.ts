/** Room for our widgets: JupyterLab has as much as one wants, Notebook 7 has one document and an area below it. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { MessageLoop } from '@lumino/messaging';
import { SplitPanel, TabPanel, Widget } from '@lumino/widgets';

/** An area that is lower shows nothing but its tabs. */
const LEAST_PX = 120;

/** Add a widget beside the documents, below where there is no such place. */
export function addBeside(
  app: JupyterFrontEnd,
  widget: Widget,
  options: Parameters<JupyterFrontEnd['shell']['add']>[2]
): void {
  app.shell.add(widget, 'main', options);
  if (widget.parent === null) {
    app.shell.add(widget, 'down', options); // Notebook 7 takes one widget into `main`, and drops others without a word
  }
}

/** What is below the documents; nothing in a shell without such an area. */
export function below(app: JupyterFrontEnd): Widget[] {
  try {
    return [...app.shell.widgets('down')];
  } catch {
    return [];
  }
}

/** Bring a widget to the front, wherever it is. */
export function show(app: JupyterFrontEnd, widget: Widget): void {
  const tabs = widget.parent?.parent;
  if (tabs instanceof TabPanel) {
    tabs.currentWidget = widget; // Notebook 7 shows the area below, and leaves the tab as it is
  }
  app.shell.activateById(widget.id);
  const split = tabs?.parent;
  if (tabs && split instanceof SplitPanel) {
    MessageLoop.flush(); // sizes that are set before the area is laid out are those of a hidden one
    if (tabs.node.offsetHeight < LEAST_PX) {
      split.setRelativeSizes(split.widgets.map(each => (each === tabs ? 2 : 3)));
    }
  }
}
