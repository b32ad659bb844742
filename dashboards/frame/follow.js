/** Follow a link as Back and Forward do, without loading the application anew; with another button or a key, as the browser does. */
function follow(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState({ follows: true }, "", event.currentTarget.href);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}

