"""Text that is written while the reader looks on, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import expect

from tests.browser.visit import Visit


def card(guest: Visit, step: int) -> str:
    """Return the text of a snapshot's card, once it is written to the end."""
    place = guest.page.locator(f'.written[data-step="{step}"][data-over="true"]')
    place.wait_for()
    return place.locator("pre").inner_text()


LENGTHS = """
window.lengths = new Set();
new MutationObserver(() => {
  const growing = document.querySelector('.written[data-step="60"][data-over="false"] pre');
  if (growing) window.lengths.add(growing.textContent.length);
}).observe(document, {subtree: true, childList: true, characterData: true});
"""
"""Collects the lengths that an unfinished text has had."""


def test_texts_grow_while_one_looks_and_end(guest: Visit) -> None:
    guest.page.add_init_script(LENGTHS)  # in the page: a look from outside may come when the text is complete
    guest.page.goto(f"{guest.address}/generate?run=tiny&tokens=2000&beside=0,60")
    guest.page.wait_for_function("window.lengths.size >= 3")
    guest.settle()
    expect(guest.page.locator('.written[data-over="true"]')).to_have_count(2)
    expect(guest.page.locator(".written pre i")).to_have_count(0)  # the cursors are gone


def test_the_slider_brings_its_snapshot_and_a_link_brings_the_same_text(guest: Visit) -> None:
    guest.open("generate", run="tiny", tokens=30, prompt="ba", beside="0,60", seed=4)
    guest.page.keyboard.press("ArrowLeft")
    guest.settle(step=40)
    text = card(guest, 40)
    assert text.startswith("ba")
    expect(guest.page.locator(".written.now")).to_have_attribute("data-step", "40")
    guest.page.wait_for_function("new URLSearchParams(location.search).get('step') === '40'")
    query = guest.query()
    assert query["seed"] == "4"
    guest.open("generate", **query)
    assert card(guest, 40) == text


@pytest.mark.slow
def test_another_setting_stops_what_is_written(guest: Visit) -> None:
    guest.page.goto(f"{guest.address}/generate?run=tiny&tokens=2000&beside=0,20,40,60")
    guest.page.locator('.written[data-over="false"]').first.wait_for()
    guest.page.get_by_role("button", name="Another").click()
    guest.page.wait_for_function("new URLSearchParams(location.search).get('seed') === '1'", timeout=20_000)
    guest.settle()
    expect(guest.page.locator('.written[data-over="true"]')).to_have_count(4)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "theme"), [((1366, 768), "dark"), ((1920, 1080), "light")])
def test_slider_bars_and_texts_fit_into_the_window(
    window: Callable[..., AbstractContextManager[Visit]], size: tuple[int, int], theme: str
) -> None:
    with window(size=size, theme=theme) as guest:
        guest.open("generate", run="tiny", lang="pt", tokens=120)
        guest.shot(f"generate-{size[0]}-{theme}")
        expect(guest.page.locator(".written")).to_have_count(3)
        boxes = [place.bounding_box() for place in guest.page.locator(".written").all()]
        assert all(box and box["y"] + box["height"] <= size[1] for box in boxes)
        expect(guest.page.locator(".written h4").first).to_have_text(re.compile("^passo 0"))


def test_back_leads_to_the_setting_before(guest: Visit) -> None:
    guest.open("generate", run="tiny", tokens=20, beside="0,60")
    seed = guest.page.get_by_label("Seed", exact=True)
    expect(seed).to_have_value("0")
    guest.page.get_by_role("button", name="Another").click()
    guest.address_says(run="tiny", tokens="20", seed="1", beside="0,60")
    guest.settle()
    guest.page.go_back()
    guest.address_says(run="tiny", tokens="20", beside="0,60")
    guest.settle()
    expect(seed).to_have_value("0")
