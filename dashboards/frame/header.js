// The header of all pages. Language goes to the page's script; theme, link and projector mode are the browser's own.

const NOTE_MS = 1800;
const THEMES = { light: "Light", dark: "Dark" }; // as Streamlit names them
const THEME_KEY = (path) => `stActiveTheme-${path}-v2`; // where Streamlit remembers the theme of a path
const ICONS = {
  tour: "M12 21s-7-6.2-7-11.5a7 7 0 0 1 14 0C19 14.8 12 21 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  projector: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};

const mounted = new WeakMap();

/** Called by Streamlit at first and whenever the page's script has run. */
export default function mount({ data: [data], parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".frame-header");
  if (!mounted.has(root)) mounted.set(root, makeHeader(root));
  mounted.get(root).update(data, setTriggerValue);
}

function makeHeader(root) {
  let data = null;
  let choose = () => {};
  let clearing = 0;
  const name = root.appendChild(node("div", "name"));
  name.appendChild(node("b")).textContent = "GPTLab";
  const run = name.appendChild(node("span"));
  const tour = root.appendChild(node("a", "tour"));
  tour.append(icon("tour"), node("span", "wide"));
  tour.addEventListener("click", follow);
  const language = addButton("language", () => choose(data.language));
  const theme = addButton("theme", changeTheme);
  const link = addButton("copy", copyLink);
  link.append(icon("link"));
  const projector = addButton("projector", () => document.dispatchEvent(new CustomEvent("gptlab-projector")));
  projector.append(icon("projector"));
  const note = root.appendChild(node("div", "note"));
  note.setAttribute("role", "status");

  function addButton(className, action) {
    const button = root.appendChild(node("button", className));
    button.type = "button";
    button.addEventListener("click", action);
    return button;
  }

  /** Remember the other theme for every page, as Streamlit's own menu does for one, and load the page anew at its address. */
  function changeTheme() {
    const other = data.theme === "dark" ? "light" : "dark";
    for (const path of data.paths) localStorage.setItem(THEME_KEY(path), JSON.stringify(THEMES[other]));
    location.reload();
  }

  async function copyLink() {
    const isCopied = await copy(location.href);
    say(isCopied ? data.words.copied : location.href);
  }

  function say(text) {
    clearTimeout(clearing);
    note.textContent = text;
    clearing = setTimeout(() => (note.textContent = ""), NOTE_MS);
  }

  return {
    update(next, setTriggerValue) {
      data = next;
      choose = (chosen) => setTriggerValue("language", chosen);
      const { words } = data;
      run.textContent = data.run;
      run.title = data.run;
      tour.hidden = !data.tour;
      tour.href = data.tour;
      tour.lastChild.textContent = words.tour;
      setName(tour, words.tour_help);
      language.textContent = data.language.toUpperCase();
      language.lang = data.language;
      setName(language, data.languageName);
      theme.replaceChildren(icon(data.theme === "dark" ? "light" : "dark"));
      setName(theme, data.theme === "dark" ? words.light : words.dark);
      setName(link, words.copy);
      setName(projector, words.projector);
      projector.hidden = !data.hasPlayer;
    },
  };
}

/** Copy a text; return whether the browser let us. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.style.position = "fixed";
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }
}

function setName(control, name) {
  control.setAttribute("aria-label", name);
  control.title = name;
}

function node(tag, className = "") {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.appendChild(document.createElementNS(svg.namespaceURI, "path")).setAttribute("d", ICONS[name]);
  return svg;
}
