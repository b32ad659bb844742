// The card of the tour. Its links are ordinary addresses; they are followed without loading the application anew.

const A_YEAR_S = 31_536_000;

const mounted = new WeakMap();

/** Called by Streamlit at first and whenever the page's script has run; the returned function is called at the end. */
export default function mount({ data: [data], parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".tour-card");
  if (!mounted.has(root)) mounted.set(root, makeCard(root));
  const card = mounted.get(root);
  card.update(data, setTriggerValue);
  return () => {
    card.destroy();
    mounted.delete(root);
  };
}

function makeCard(root) {
  let leave = () => {};
  const head = root.appendChild(document.createElement("header"));
  const progress = head.appendChild(document.createElement("span"));
  const close = head.appendChild(document.createElement("button"));
  close.type = "button";
  close.className = "leave";
  close.textContent = "✕";
  close.addEventListener("click", () => leave());
  const title = root.appendChild(document.createElement("h2"));
  const sentence = root.appendChild(document.createElement("p"));
  sentence.setAttribute("role", "status");
  const foot = root.appendChild(document.createElement("footer"));
  const more = addLink("more");
  const previous = addLink("previous");
  const next = addLink("next");
  const end = foot.appendChild(document.createElement("button"));
  end.type = "button";
  end.className = "end";
  end.addEventListener("click", () => leave());

  function addLink(className) {
    const link = foot.appendChild(document.createElement("a"));
    link.className = className;
    link.addEventListener("click", follow);
    return link;
  }

  function onKey(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    leave();
  }
  document.addEventListener("keydown", onKey);

  return {
    update(data, setTriggerValue) {
      const { words } = data;
      leave = () => setTriggerValue("left", true);
      document.cookie = `${data.cookie}=seen; path=/; max-age=${A_YEAR_S}; SameSite=Strict`;
      root.setAttribute("aria-label", words.name);
      progress.textContent = words.progress;
      close.setAttribute("aria-label", words.leave);
      close.title = words.leave;
      write(title, data.title);
      write(sentence, data.sentence);
      lead(more, data.link?.[1], data.link?.[0]);
      lead(previous, data.previous, words.previous);
      lead(next, data.next, words.next);
      end.hidden = Boolean(data.next);
      end.textContent = words.end;
    },
    destroy() {
      document.removeEventListener("keydown", onKey);
    },
  };
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function lead(link, address, text) {
  link.hidden = !address;
  if (address) link.href = address;
  link.textContent = text ?? "";
}
