// The sentence about a page. The browser remembers which ones were dismissed.

const A_YEAR_S = 31_536_000;

/** Called by Streamlit at first and whenever the page's script has run. */
export default function mount({ data: [data], parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".seeing");
  const [text, button] = root.children;
  text.textContent = data.text;
  button.title = data.dismiss;
  button.setAttribute("aria-label", data.dismiss);
  button.onclick = () => {
    document.cookie = `${data.cookie}=${data.seen}; path=/; max-age=${A_YEAR_S}; SameSite=Strict`;
    setTriggerValue("dismissed", true);
  };
}
