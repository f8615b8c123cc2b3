/** How a run ended, as a sign and a word. */
import {
  checkIcon,
  circleEmptyIcon,
  closeIcon,
  LabIcon,
  runningIcon,
  stopIcon
} from '@jupyterlab/ui-components';

import { h } from '../dom';

const ICONS: Record<string, LabIcon> = {
  completed: checkIcon,
  failed: closeIcon,
  cancelled: stopIcon,
  timeout: stopIcon,
  running: runningIcon
};

export const STATUSES = ['completed', 'failed', 'cancelled', 'timeout', 'interrupted', 'skipped'] as const;

export function statusIcon(status: string): HTMLElement {
  const icon = ICONS[status] ?? circleEmptyIcon;
  const sign = h('span', {
    class: 'tusk-Status',
    title: status,
    attrs: { role: 'img', 'aria-label': status, 'data-status': status }
  });
  sign.append(icon.element({ tag: 'span' }));
  return sign;
}
