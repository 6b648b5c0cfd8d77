// @ts-check
/** Keeps what lies over the page from hiding what has the focus (WCAG 2.2, 2.4.11): it makes room, or steps back. */

/** @param {HTMLElement} place fixed at the foot of the window; told by `data-place` to be at its `top`, or `away` */
export function clearOfFocus(place) {
  let isDue = false;
  const look = () => {
    isDue = false;
    if (!place.isConnected) return stop.abort();
    delete place.dataset.place;
    if (!hides(place)) return undefined;
    place.dataset.place = "top";
    if (hides(place)) place.dataset.place = "away";
    return undefined;
  };
  const soon = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(look);
  };
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener("focusin", soon, { signal });
  addEventListener("scroll", soon, { signal, passive: true });
  addEventListener("resize", soon, { signal });
  new MutationObserver(soon).observe(place, { childList: true, subtree: true });
}

/** @param {HTMLElement} place */
function hides(place) {
  const { activeElement: focused } = document;
  // The page itself, and headings, which have the focus for their words alone, are no controls.
  if (!focused || focused === document.body || place.contains(focused) || focused.matches("main, h1, dialog, dialog *")) return false;
  const { top, bottom, left, right } = focused.getBoundingClientRect();
  return [...place.children].some((child) => {
    const over = child.getBoundingClientRect();
    return over.height > 0 && top < over.bottom && bottom > over.top && left < over.right && right > over.left;
  });
}
