"""On a phone, and where a page is enlarged to twice its size, everything stands in one column and nothing is cut."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from dashboards.screens import SCREENS
from tests.browser.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Window = Callable[..., AbstractContextManager[Visit]]

PHONE, ENLARGED = (390, 844), (683, 384)  # the latter: 200% of a laptop's 1366 by 768

WIDTHS = """() => [document.scrollingElement, document.querySelector('[data-testid="stMain"]')]
  .map(element => [element.scrollWidth, element.clientWidth, innerWidth])"""
CUT = """bar => [...bar.querySelectorAll('.step, .loss, button')].filter(text => {
  const [box, whole] = [text.getBoundingClientRect(), bar.getBoundingClientRect()];
  const isCut = text.scrollWidth > text.clientWidth + 1 && getComputedStyle(text).display !== 'inline';
  return box.width && (isCut || box.left < whole.left - 1 || box.right > whole.right + 1 || box.right > innerWidth);
}).map(text => text.className + ': ' + text.textContent)"""
LEFTS = "grid => [...new Set([...grid.children].map(panel => Math.round(panel.getBoundingClientRect().left)))]"


# The longer words on the narrower window are the harder case.
@pytest.mark.parametrize(
    ("size", "language"),
    [
        (PHONE, "pt"),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((PHONE, "en"), (ENLARGED, "en"), (ENLARGED, "pt"))),
    ],
)
def test_no_page_scrolls_sideways_and_no_text_of_the_slider_is_cut(
    window: Window, size: tuple[int, int], language: str
) -> None:
    with window(size=size) as guest:
        for name in SCREENS:
            guest.open(name, run="tiny", **({"lang": "pt"} if language == "pt" else {}))
            guest.shot(f"narrow-{size[0]}-{name}-{language}")
            for scrolled, client, inner in guest.page.evaluate(WIDTHS):
                assert scrolled <= client <= inner, name
            if guest.player.count():
                assert guest.player.locator(".slider-bar").evaluate(CUT) == [], name


@pytest.mark.slow
def test_panels_stand_in_one_column_on_a_phone_and_beside_each_other_on_a_laptop(window: Window) -> None:
    for size, n_columns in ((PHONE, 1), ((1366, 768), 2)):
        with window(size=size) as guest:
            guest.open("embeddings", run="tiny", method="pca")
            guest.step()
            assert len(guest.player.locator(".panels").evaluate(LEFTS)) == n_columns


def test_what_the_slider_says_stands_below_it_on_a_phone(window: Window) -> None:
    with window(size=PHONE) as guest:
        guest.open("overview", run="tiny")
        guest.step()
        track, readout = guest.slider.bounding_box(), guest.player.locator(".readout").bounding_box()
        assert track
        assert readout
        assert track["width"] > 250
        assert readout["y"] >= track["y"] + track["height"]


def test_a_finger_moves_the_slider(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True, is_mobile=True)
    try:
        page = context.new_page()
        page.goto(f"{address}/embeddings?run=tiny&method=pca")
        page.locator('.player[data-step="60"]').wait_for()
        box = page.get_by_role("slider").bounding_box()
        assert box
        page.touchscreen.tap(box["x"] + 15, box["y"] + 30)
        page.locator('.player[data-step="0"]').wait_for()
        page.touchscreen.tap(box["x"] + box["width"] - 15, box["y"] + 30)
        page.locator('.player[data-step="60"]').wait_for()
    finally:
        context.close()
