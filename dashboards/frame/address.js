// The address of a page that has just been entered: one entry of the history, so that each Back leads to another view.

mergeFirstEntry();

export default function mount({ data }) {
  if (!data.address || /[?&]run=/.test(location.search)) return;
  const own = location.search.slice(1); // step and scale, which the slider has written meanwhile
  history.replaceState(history.state, "", `${location.pathname}?${data.address}${own ? `&${own}` : ""}${location.hash}`);
}

/**
 * Make one history entry of a page that is entered and then writes its view into its empty address. Streamlit makes two, so that Back would
 * have to be pressed twice.
 */
function mergeFirstEntry() {
  const push = history.pushState;
  if (push.mergesFirstEntry) return;
  history.pushState = function pushState(state, title, url) {
    const to = new URL(url ?? "", location.href);
    const isFirst = to.pathname === location.pathname && to.search && !location.search;
    const isSame = to.href === location.href;
    return (isFirst || isSame ? history.replaceState : push).call(history, state, title, url);
  };
  history.pushState.mergesFirstEntry = true;
}
