// The clipboard, with the older way where pages are not served safely (http on another host).

/** Put a text that is still to come on the clipboard. */
export async function copyText(coming: Promise<string>): Promise<void> {
  if (navigator.clipboard !== undefined && typeof ClipboardItem !== 'undefined') {
    const blob = coming.then(text => new Blob([text], { type: 'text/plain' }));
    try {
      // Given before the text is here, so that the browser still counts it to the key press.
      await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
      return;
    } catch {
      await blob; // a refusal of the kernel is the better error
    }
  }
  copyByCommand(await coming);
}

function copyByCommand(text: string): void {
  const before = document.activeElement as HTMLElement | null;
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  (before?.closest('.tusk-grid') ?? document.body).append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  before?.focus({ preventScroll: true });
  if (!copied) {
    throw new Error('The browser does not let this page use the clipboard.');
  }
}
