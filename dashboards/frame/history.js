// The address of a page that has just been entered: one entry of the history, so that each Back leads to another view.

let isTouched = false; // by the reader, since the page was entered

mergeEntries();

export default function mount({ data: [data] }) {
  if (!data.address || /[?&]run=/.test(location.search)) return;
  const fields = new URLSearchParams(data.address);
  // The slider has perhaps written step and scale meanwhile.
  for (const [name, value] of new URLSearchParams(location.search)) fields.set(name, value);
  history.replaceState(history.state, "", `${location.pathname}?${fields}${location.hash}`);
}

/** Note that the reader changes something. A link to another page does not count: what this page still writes is not a change of theirs. */
function touch(event) {
  const link = event.composedPath()[0].closest?.("a[href]");
  if (!link || new URL(link.href).pathname === location.pathname) isTouched = true;
}

/**
 * Make one history entry of a page that is entered and then writes its view into its address. Streamlit makes several, of which all but the
 * last would show the same view. What the reader changes afterwards is an entry of its own.
 */
function mergeEntries() {
  const push = history.pushState;
  if (push.mergesEntries) return;
  for (const name of ["pointerdown", "keydown", "input"]) addEventListener(name, touch, true);
  addEventListener("popstate", () => (isTouched = false));
  history.pushState = function pushState(state, title, url) {
    const to = new URL(url ?? "", location.href);
    const isElsewhere = to.pathname !== location.pathname;
    const isNew = isElsewhere || ((isTouched || state?.follows) && to.href !== location.href);
    if (isElsewhere) isTouched = false;
    return (isNew ? push : history.replaceState).call(history, state, title, url);
  };
  history.pushState.mergesEntries = true;
}
