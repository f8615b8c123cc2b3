/** Lists whose rows stay as they are while the pointer is pressed on one of them. */

/**
 * Does nothing between press and release: a browser gives no click where the pressed row was replaced, and one on what came
 * below the pointer instead is worse than none.
 */
export class Held {
  private isPressed = false;
  private waiting: (() => void) | null = null;

  /** Watches `node`: rows, and not what scrolls around them, for a scroll bar is pressed as long as it is drawn. */
  constructor(node: HTMLElement) {
    node.addEventListener('pointerdown', ({ button }) => button === 0 && this.press());
  }

  /** Draw now, or after the release: then once, and what was asked for last. */
  draw(drawing: () => void): void {
    if (this.isPressed) {
      this.waiting = drawing;
    } else {
      drawing();
    }
  }

  private press(): void {
    this.isPressed = true;
    const end = new AbortController();
    const { signal } = end;
    const release = (): void => {
      end.abort();
      this.isPressed = false;
      const { waiting } = this;
      this.waiting = null;
      waiting?.();
    };
    // The click is given right after the release.
    window.addEventListener('pointerup', () => setTimeout(release), { signal });
    window.addEventListener('pointercancel', release, { signal });
    // A release over a frame within the page, or outside of the window, comes to nobody.
    window.addEventListener('pointermove', ({ buttons }) => buttons === 0 && release(), { signal });
  }
}
