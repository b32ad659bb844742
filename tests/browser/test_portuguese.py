"""Every page in Portuguese: no English word of ours in what can be read, heard, hovered over or chosen."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError

from dashboards.screens import SCREENS
from tests.browser.visit import Visit
from tests.language import left_in_english, words

# Texts that are drawn are collected from the first frame on.
WATCH_CANVASES = """
  window.drawnTexts = new Set();
  for (const kind of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
    for (const name of ['fillText', 'strokeText']) {
      const draw = kind.prototype[name];
      kind.prototype[name] = function (text, ...more) {
        window.drawnTexts.add(String(text));
        return draw.call(this, text, ...more);
      };
    }
  }
"""
# What the model or the reader wrote, code, and file names are nobody's words; what Streamlit says by itself is not ours.
COLLECT = """(theirs) => {
  const found = new Set(window.drawnTexts);
  const attributes = ['aria-label', 'title', 'placeholder', 'alt', 'aria-description', 'aria-valuetext'];
  const silent = 'style, script, noscript, pre, code, [role="img"], [data-testid="stIconMaterial"], '
    + '[data-testid="stAlertDynamicIcon"], [data-testid="stHeader"] button';
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) { if (node.data.trim()) found.add(node.data.trim()); return; }
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.matches(silent)) return;
      for (const name of attributes) if (node.getAttribute(name)) found.add(node.getAttribute(name));
      if (node.shadowRoot) walk(node.shadowRoot);
    }
    node.childNodes.forEach(walk);
  };
  walk(document.body);
  return [...found].map((text) => theirs.reduce((rest, phrase) => rest.replaceAll(phrase, ' '), text));
}"""
STREAMLIT = (
    "Press Enter to apply",
    "Press Ctrl+Enter to apply",
    "Help for",
    "Choose options",
    "Choose an option",
    "Add options",
    "No results",
    "Selected",
    "Clear value",
    "Clear all",
    "Fullscreen",
    "Close",
    "Increment",
    "Decrement",
    "Stop",
    "Open sidebar",
    "Show password text",
    "open",
    "Open",
    "Skip to main content",
    "Collapse sidebar",
    "Sidebar",
    "App pages",
    "Show/hide columns",
    "Link to heading",
    "Copy to clipboard",
    "Remove",
    "progress",
    "values",
)
"""What Streamlit writes by itself, in English only."""
ADDRESSES = {  # further states of pages, each with texts of its own
    "overview": [{"ask": "zero-shot"}],
    "embeddings": [
        {"what": "positions", "method": "pca", "group": "1,2;3,4"},
        {"method": "pca", "group": "vogais;nada", "item": "a"},
        {"method": "pca", "axes": "3", "step": "7"},
        {"run": "none", "method": "x"},
    ],
    "attention": [{"layer": "0", "head": "0", "prompt": "ab€"}, {"layer": "9", "head": "9"}],
    "compare": [{"view": "attention"}, {"view": "heads"}, {"view": "text"}],
    "figures": [{"figure": "next-token"}, {"figure": "tokens", "method": "pca", "group": "vogais"}, {"figure": "x"}],
    "films": [{"film": "none"}],
}
NAMES = ("tiny", "made", "other", "none", "own", "warning", "near", "me")
"""Names of runs and texts, and of the icons beside messages."""

Window = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture
def reader(window: Window) -> Iterator[Visit]:
    """A Brazilian reader, whose browser collects the texts that are drawn."""
    with window(locale="pt-BR") as guest:
        guest.page.add_init_script(WATCH_CANVASES)
        yield guest


def texts(guest: Visit) -> list[str]:
    """Open what can be opened, hover over every help, and list all texts of the page."""
    page = guest.page
    with contextlib.suppress(
        TimeoutError
    ):  # what is computed has texts, too; but a long computation need not be waited for
        page.wait_for_function("!document.querySelector('[data-testid=\"stProgress\"]')", timeout=20_000)
    for summary in page.locator("details:not([open]) > summary").all():
        summary.click()
    guest.settle()
    found: list[str] = page.evaluate(COLLECT, STREAMLIT)
    for icon in page.get_by_test_id("stTooltipIcon").all():
        if icon.is_visible():
            icon.hover()
            page.get_by_test_id("stTooltipContent").first.wait_for()
            found += page.get_by_test_id("stTooltipContent").all_inner_texts()
            page.mouse.move(2, 2)
    for choice in page.get_by_test_id("stSelectbox").all():
        choice.locator("input").click()
        with contextlib.suppress(TimeoutError):  # a page that reruns just then closes the list
            page.get_by_role("option").first.wait_for(timeout=10_000)
        found += page.get_by_role("option").all_inner_texts()
        page.keyboard.press("Escape")
    return found


FAST = ("overview", "attention", "model")


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in SCREENS]
)
def test_a_page_in_portuguese_holds_no_english(reader: Visit, shelf: Path, name: str) -> None:
    # Settings have the names that they have on the command line.
    allowed = {
        *NAMES,
        *words((shelf / "tiny" / "run.json").read_text(encoding="utf-8").replace("_", " ")),
        "norm",
        "bias",
        "text",
        "eps",
    }
    found: dict[str, list[str]] = {}
    for address in [{}, *ADDRESSES.get(name, [])]:
        reader.open(name, **({"run": "tiny"} | address))
        reader.shot(f"pt-{name}-{len(found)}")
        found |= left_in_english(texts(reader), allowed)
    assert not found, "\n".join(f"{named}: {text[:200]}" for text, named in found.items())


def test_the_words_that_are_looked_for_are_found(window: Window) -> None:
    with window(locale="en-US") as guest:
        guest.page.add_init_script(WATCH_CANVASES)
        guest.open("attention", run="tiny")
        found = left_in_english(texts(guest), NAMES)
    assert len(found) > 20
    assert {"steps", "head"} & {word for words in found.values() for word in words}
