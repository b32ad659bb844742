"""No page breaks a rule of WCAG 2.1, levels A and AA, that axe-core knows; what has the keyboard's focus can be seen to have it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboards.screens import SCREENS
from tests.browser.accessibility import EXEMPTIONS, violations
from tests.browser.visit import Visit, served, visit
from viz.drawing.theme import contrast

Windows = Callable[..., AbstractContextManager[Visit]]

# Of the element that has the focus: the colour and width of its outline, or of that of an element close around it, and the first ground
# beyond. Null at the end of the page, where the browser takes the focus.
FOCUS_MARK = """() => {
  let element = document.activeElement;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (element === document.body) return null;
  const around = [];
  for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) around.push(getComputedStyle(at));
  const mark = around.slice(0, 3).find((style) => style.outlineStyle === "solid" && style.outlineWidth !== "0px");
  const ground = around.slice(around.indexOf(mark) + 1).find((style) => !/, 0\\)$|transparent/.test(style.backgroundColor));
  const name = element.getAttribute("aria-label") || element.textContent.trim().slice(0, 40) || element.className;
  return { name, color: mark?.outlineColor, width: parseFloat(mark?.outlineWidth ?? "0"), ground: ground?.backgroundColor };
}"""


@pytest.fixture(params=["light", pytest.param("dark", marks=pytest.mark.slow)])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", SCREENS)
def test_a_page_breaks_no_rule(window: Windows, name: str, theme: str) -> None:
    with window(theme=theme) as guest:
        guest.open(name, run="tiny")
        found = violations(guest.page)
        guest.shot(f"accessible-{name}-{theme}")
    assert not found, "\n".join(map(str, found))


def test_the_first_visit_breaks_no_rule(browser: Browser, tmp_path: Path, shots: Path) -> None:
    with served(tmp_path / "none") as address, visit(browser, address, shots) as guest:
        guest.open()
        found = violations(guest.page)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize(
    "name", ["embeddings", *(pytest.param(name, marks=pytest.mark.slow) for name in ("generate", "films"))]
)
def test_what_has_the_focus_is_marked(window: Windows, name: str, theme: str) -> None:
    marked = set()
    with window(theme=theme) as guest:
        guest.open(name, run="tiny")
        for _ in range(40):
            guest.page.keyboard.press("Tab")
            guest.page.wait_for_timeout(250)  # some marks fade in
            mark = guest.page.evaluate(FOCUS_MARK)
            if mark is None:
                break
            assert mark["width"] >= 3, mark
            assert contrast(rgb(mark["color"]), rgb(mark["ground"])) >= 3, mark
            marked.add(mark["name"])
        guest.shot(f"focus-{name}-{theme}")
    assert len(marked) > 8


def test_each_exemption_gives_its_reason() -> None:
    assert all(re.search(r"\w+ \w+", known.reason) for known in EXEMPTIONS)


def rgb(color: str) -> tuple[float, float, float]:
    """Read a computed colour, ``rgb(0, 114, 178)``; none of those that are compared is transparent."""
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", color)[:3])
    return red, green, blue
