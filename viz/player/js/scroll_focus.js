// Parts of panels that scroll take the keyboard's focus, so that keys scroll them; the Tab key skips those that fit.

/** Mark the parts of an element that scroll and hold nothing else that takes the focus. */
export function focusScrollers(root) {
  for (const part of root.querySelectorAll(".body, .body pre, .body .history, .body .scroller")) {
    const isScroller = ["auto", "scroll"].includes(getComputedStyle(part).overflowY) && part.scrollHeight > part.clientHeight + 1;
    if (isScroller && !part.querySelector("a, button, input, select, [tabindex]")) {
      part.tabIndex = 0;
      part.setAttribute("role", "group");
      part.setAttribute("aria-label", part.closest(".panel").querySelector("h3").textContent);
    } else if (part.getAttribute("role") === "group") {
      for (const name of ["tabindex", "role", "aria-label"]) part.removeAttribute(name);
    }
  }
}
