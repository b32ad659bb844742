"""The view of the points in a real browser: fitted to a step, remembered, discs that make way, and the search."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import combinations

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.test_embeddings import places
from tests.browser.visit import Visit


def test_a_step_is_fitted_by_key_or_button_and_reset_restores_the_limits_of_the_film(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    guest.step()
    guest.slider.focus()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    fixed = places(guest)
    area = guest.page.locator(".scatter .area")
    for fit in (lambda: guest.page.locator(".scatter .tools .fit").click(), lambda: area.press("s")):
        fit()
        guest.until(lambda: places(guest) != fixed)
        box = area.bounding_box()
        assert box
        across, down = np.ptp(list(places(guest).values()), axis=0)
        assert across > 0.7 * box["width"] or down > 0.7 * box["height"]
        for x, y in places(guest).values():
            assert box["x"] < x < box["x"] + box["width"]
            assert box["y"] < y < box["y"] + box["height"]
        guest.page.locator(".scatter .tools .reset").click()
        guest.until(lambda: places(guest) == fixed)


def test_no_disc_hides_the_letter_of_another_at_the_last_step(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    guest.page.locator(".scatter .tools .fit").click()
    guest.next_frame()
    guest.shot("embeddings-fitted")
    where = np.array(list(places(guest).values()))
    near = [float(np.hypot(*(a - b))) for a, b in combinations(where, 2)]
    assert min(near) > 8  # the letter of a disc is within half its radius, which is eight pixels or more


def test_tools_are_named_in_words_and_on_a_narrow_panel_to_screen_readers_alone(
    window: Callable[..., AbstractContextManager[Visit]],
) -> None:
    for size, is_shown in (((1366, 768), True), ((390, 844), False)):
        with window(size=size) as guest:
            guest.open("embeddings", run="tiny", method="pca", lang="pt")
            words = guest.page.locator(".scatter .tools .word")
            assert [word.is_visible() for word in words.all()[1:]] == [is_shown] * (words.count() - 1)
            for tool in guest.page.locator(".scatter .tools button").all():
                assert tool.get_attribute("aria-label")
            assert "enquadrar" in words.all_inner_texts()[4] or not is_shown


@pytest.mark.slow
def test_three_dimensions_remember_where_the_reader_turned_them(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca", axes=3)
    expect(guest.page.locator(".scatter .area")).to_have_count(1)
    area = guest.page.locator(".scatter .area").bounding_box()
    assert area is not None
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    guest.page.mouse.move(x, y)
    guest.page.mouse.down()
    guest.page.mouse.move(x + 150, y + 30, steps=5)
    guest.page.mouse.up()
    guest.page.mouse.move(area["x"] + 5, area["y"] + 5)
    guest.page.wait_for_function("new URLSearchParams(location.search).has('camera')")
    guest.settle()
    turned, link = places(guest), guest.query()
    guest.page.get_by_role("link", name="Attention").click()
    guest.page.locator(".panel.heat-maps").wait_for()
    guest.page.get_by_role("link", name="Embeddings").click()
    guest.page.locator(".panel.scatter").wait_for()
    guest.settle()
    assert places(guest) == turned
    guest.open("embeddings", **link)  # a link has the angles in whole degrees
    for label, (a, b) in places(guest).items():
        assert (a, b) == pytest.approx(turned[label], abs=5)
    guest.page.locator(".scatter .tools .reset").click()
    guest.page.wait_for_function("!new URLSearchParams(location.search).has('camera')")


def test_the_disc_under_the_pointer_comes_forward(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    where = places(guest)
    label = next(iter(where))
    before = guest.page.locator(".scatter .area canvas").last.screenshot()
    guest.page.mouse.move(*where[label])
    guest.page.locator(".scatter .tooltip").wait_for()
    guest.next_frame()
    assert guest.page.locator(".scatter .area canvas").last.screenshot() != before


def test_a_search_for_a_letter_finds_that_letter_first_and_no_name_with_it(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    for typed in ("e", "a"):
        search = guest.page.locator(".scatter .search")
        search.fill(typed)
        search.press("Enter")
        guest.page.locator(".panel.neighbours h3", has_text=f"Nearest to {typed} in").wait_for()
    search.fill("spa")  # the beginning of a name
    search.press("Enter")
    expect(guest.page.locator(".panel.neighbours h3")).to_contain_text("space")
