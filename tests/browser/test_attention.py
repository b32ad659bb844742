"""Attention in a real browser: maps answer the pointer and the slider, and a click makes one large."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visit import Visit

PROMPT = "bagulha"


@pytest.fixture
def reader(guest: Visit) -> Visit:
    guest.open("attention", run="tiny", prompt=PROMPT)
    guest.player.locator('[data-panel="scores"] canvas').last.wait_for()  # the heads are scored in the background
    guest.settle()
    return guest


def place_in_map(guest: Visit, layer: int, head: int) -> tuple[float, float]:
    """Return a place in a map where there is a weight; what lies where is asked of the tip."""
    box = guest.player.locator('[data-panel="maps"] canvas').last.bounding_box()
    assert box is not None
    for y in range(int(box["height"]) - 24, 0, -30):
        for x in range(60, int(box["width"]), 30):
            guest.page.mouse.move(box["x"] + x, box["y"] + y)
            guest.next_frame()
            tip = guest.player.locator('[data-panel="maps"] .tooltip')
            if tip.is_visible() and re.match(rf"weight (.|\n)*layer {layer}, head {head}", tip.inner_text()):
                return box["x"] + x, box["y"] + y
    raise AssertionError(f"no map of layer {layer} head {head} was found under the pointer")


def picture(guest: Visit, panel: str) -> str:
    """Return a panel's pixels."""
    found: str = guest.player.locator(f'[data-panel="{panel}"] canvas').last.evaluate("c => c.toDataURL()")
    return found


def test_the_slider_repaints_maps_timeline_and_bets(reader: Visit) -> None:
    before = {panel: picture(reader, panel) for panel in ("maps", "scores", "next")}
    reader.page.keyboard.press("Home")
    reader.settle(step=0)
    for panel, pixels in before.items():
        assert picture(reader, panel) != pixels, panel
    reader.page.keyboard.press("End")
    reader.settle(step=60)
    assert {panel: picture(reader, panel) for panel in before} == before
    reader.shot("attention")


def test_the_pointer_tells_a_weight_and_a_click_makes_its_map_large(reader: Visit) -> None:
    x, y = place_in_map(reader, 1, 0)
    tip = reader.player.locator('[data-panel="maps"] .tooltip')
    assert re.search(r"weight [01]\S*\nfrom “.” \(\d\) to “.” \(\d\)\nlayer 1, head 0", tip.inner_text())
    reader.page.mouse.click(x, y)
    reader.player.get_by_role("button", name="All heads").wait_for()
    reader.page.wait_for_function("new URLSearchParams(location.search).get('layer') === '1'")
    reader.page.wait_for_function("new URLSearchParams(location.search).get('head') === '0'")
    reader.settle()
    reader.shot("attention-one-head")
    reader.player.get_by_role("button", name="All heads").click()
    reader.page.wait_for_function("!new URLSearchParams(location.search).has('layer')")
    expect(reader.player.get_by_role("button", name="All heads")).to_be_hidden()


def test_the_list_of_heads_chooses_without_a_mouse(reader: Visit) -> None:
    reader.player.get_by_role("combobox").select_option("layer 0, head 1")
    reader.page.wait_for_function("new URLSearchParams(location.search).get('head') === '1'")
    expect(reader.player.get_by_role("button", name="All heads")).to_be_visible()


def test_a_link_to_a_head_and_step_reproduces_the_picture(reader: Visit) -> None:
    reader.player.get_by_role("combobox").select_option("layer 0, head 1")
    reader.page.keyboard.press("Escape")
    reader.page.evaluate("document.activeElement.blur()")
    reader.player.get_by_role("slider").focus()
    reader.page.keyboard.press("ArrowLeft")
    reader.settle(step=40)
    reader.page.wait_for_function("new URLSearchParams(location.search).get('step') === '40'")
    reader.page.mouse.move(5, 5)
    before = picture(reader, "maps")
    reader.page.goto(reader.page.url)
    reader.settle(step=40)
    reader.until(lambda: picture(reader, "maps") == before)


def test_a_click_in_the_timeline_goes_to_its_step_and_head(reader: Visit) -> None:
    cells = reader.player.locator('[data-panel="scores"] canvas').last
    box = cells.bounding_box()
    assert box is not None
    reader.page.mouse.click(box["x"] + box["width"] * 0.35, box["y"] + box["height"] * 0.1)
    reader.page.wait_for_function("new URLSearchParams(location.search).has('step')")
    assert 0 < reader.step() < 60
    reader.page.wait_for_function("new URLSearchParams(location.search).get('layer') === '0'")
    expect(reader.player.get_by_role("button", name="All heads")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
def test_the_page_fills_the_window_in_both_themes(window, theme: str, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    with window(size=size, theme=theme) as guest:
        guest.open("attention", run="tiny", prompt=PROMPT, lang="pt")
        guest.player.locator('[data-panel="scores"] canvas').last.wait_for()
        guest.shot(f"attention-{theme}-{size[0]}")
        panels = guest.player.locator(".panels").bounding_box()
        assert panels is not None
        assert panels["y"] + panels["height"] <= size[1]
        assert panels["x"] + panels["width"] <= size[0]


def test_back_shows_the_head_that_the_address_names(reader: Visit) -> None:
    chosen, back = reader.player.get_by_role("combobox"), reader.player.get_by_role("button", name="All heads")
    for head in ("layer 0, head 1", "layer 1, head 0"):
        chosen.select_option(head)
        layer, number = head[6], head[-1]
        reader.page.wait_for_function(f"location.search.includes('layer={layer}&head={number}')")
        reader.settle()
    reader.page.go_back()
    expect(chosen.locator("option:checked")).to_have_text("layer 0, head 1")
    reader.page.go_back()
    expect(back).to_be_hidden()
    reader.page.go_forward()
    expect(chosen.locator("option:checked")).to_have_text("layer 0, head 1")
