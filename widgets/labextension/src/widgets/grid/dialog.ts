// Modal panels: the browser keeps the focus inside, Escape closes, and the focus goes back to where it was.
import { button, element, type Child } from './dom';

/** Open a panel in `root`, below `anchor` if there is one, and return how to close it. */
export function openDialog(
  root: HTMLElement,
  title: string,
  className: string,
  content: Child[],
  anchor?: DOMRect
): () => void {
  const before = document.activeElement as HTMLElement | null;
  const close = (): void => dialog.close();
  const heading = element(
    'div',
    { className: 'tusk-dialog-title' },
    element('strong', {}, title),
    button('×', close, { label: 'Close', className: 'tusk-close' })
  );
  const dialog = element(
    'dialog',
    { className: `tusk-dialog ${className}`, label: title },
    heading,
    ...content
  );
  dialog.addEventListener('mousedown', event => {
    if (event.target === dialog && !inside(dialog, event)) {
      close();
    }
  });
  const observer = new ResizeObserver(() => {
    if (anchor !== undefined) {
      place(dialog, anchor);
    }
  });
  dialog.addEventListener('close', () => {
    observer.disconnect();
    dialog.remove();
    before?.focus({ preventScroll: true }); // also when the kernel's end closes it
  });
  root.append(dialog);
  dialog.showModal();
  observer.observe(dialog);
  return close;
}

function inside(dialog: HTMLElement, event: MouseEvent): boolean {
  const box = dialog.getBoundingClientRect();
  return (
    event.clientX >= box.left &&
    event.clientX <= box.right &&
    event.clientY >= box.top &&
    event.clientY <= box.bottom
  );
}

function place(dialog: HTMLElement, anchor: DOMRect): void {
  const box = dialog.getBoundingClientRect();
  const left = Math.min(anchor.left, window.innerWidth - box.width - 8);
  const top = Math.min(anchor.bottom + 2, window.innerHeight - box.height - 8);
  dialog.style.margin = '0';
  dialog.style.left = `${Math.max(8, left)}px`;
  dialog.style.top = `${Math.max(8, top)}px`;
}
