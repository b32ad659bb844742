// Panels on a Streamlit page that reach to the bottom of the window.

const BELOW_PX = 18; // space below the panels

/**
 * Set ``--available-height`` of `root` to what is left below the top of the element that `panels()` returns, now and whenever the window or
 * something above it changes its height. Returns `{ fit, destroy }`.
 */
export function fitToWindow(root, panels) {
  const page = () => document.querySelector('[data-testid="stMain"]');

  function fit() {
    requestAnimationFrame(() => {
      const [scrolled, box] = [page(), panels()];
      if (!scrolled || !box?.isConnected) return;
      const above = box.getBoundingClientRect().top - scrolled.getBoundingClientRect().top + scrolled.scrollTop;
      root.style.setProperty("--available-height", `${Math.round(scrolled.clientHeight - above - BELOW_PX)}px`);
    });
  }

  // The content grows and shrinks with what stands above the panels, e.g. a sentence that is dismissed.
  const content = page()?.querySelector('[data-testid="stVerticalBlock"]');
  const observer = new ResizeObserver(fit);
  if (content) observer.observe(content);
  addEventListener("resize", fit);
  return {
    fit,
    destroy() {
      observer.disconnect();
      removeEventListener("resize", fit);
    },
  };
}
