/** Scroll a list until a row of it is seen whole. What is around the list stays, unlike with `scrollIntoView`: a notebook. */
export function reveal(row: Element, list: HTMLElement): void {
  const { top, bottom } = row.getBoundingClientRect();
  const first = list.getBoundingClientRect().top + list.clientTop;
  const above = first - top;
  const below = bottom - (first + list.clientHeight);
  if (above > 0) {
    list.scrollTop -= above;
  } else if (below > 0) {
    list.scrollTop += Math.min(below, -above);
  }
}
