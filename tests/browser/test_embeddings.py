"""The points of the page of embeddings in a real browser: pointed at, lassoed, turned, searched, and five thousand of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from data.runs import Run, create_run, write_snapshot
from data.tokens.tokenizers import WordList
from probes.groups.symbols import display
from probes.tables.embeddings import token_embeddings
from tests.browser.visit import Visit
from viz.drawing.text import label_name

# Where the points stand, as the picture itself knows it: `[label, x, y]` of each, in pixels of the window.
PLACES = """(root) => root.querySelector('.scatter .area').places()"""


@pytest.fixture
def words(shelf: Path) -> Iterator[Run]:
    """A run of five thousand sub-words, up to twelve characters long, that spread out in two snapshots."""
    import shutil

    random = np.random.default_rng(0)
    labels = [f"{' ' if i % 2 else ''}{'abcdefg'[: 1 + i % 7]}{i}" for i in range(5000)]
    info = {"parameters": 5000 * 8, "tokenizer": WordList(tuple(labels)).to_json(), "tensors": {"token_table": "table"}}
    run = create_run("words", info, shelf)
    table = random.normal(size=(5000, 8)).astype(np.float32)
    for step in (0, 100):
        write_snapshot(run, step, {"table": table * (1 + step / 100)})
    yield run
    shutil.rmtree(run.path)


def places(guest: Visit) -> dict[str, tuple[float, float]]:
    guest.step()  # once something is painted
    found: list[tuple[str, float, float]] = guest.player.evaluate(PLACES)
    return {label: (x, y) for label, x, y in found}


def free_item(guest: Visit) -> tuple[str, tuple[float, float]]:
    """Return an item that no other lies over, so that a pointer at it means it."""
    where = places(guest)

    def room(label: str) -> float:
        x, y = where[label]
        return min(np.hypot(x - a, y - b) for other, (a, b) in where.items() if other != label)

    label = max(where, key=room)
    return label, where[label]


def width(where: Mapping[str, tuple[float, float]]) -> float:
    """Return how wide the picture of all items is, in pixels."""
    return float(np.ptp([x for x, _ in where.values()]))


def painted(guest: Visit) -> bytes:
    """Return the picture of the points as it stands."""
    return guest.page.locator(".scatter .area").screenshot()


def test_a_tip_names_the_item_and_its_neighbours_in_the_full_space(guest: Visit, shelf: Path) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    label, (x, y) = free_item(guest)
    guest.page.mouse.move(x, y)
    tip = guest.page.locator(".scatter .tooltip")
    tip.wait_for()
    guest.next_frame()
    table = token_embeddings(Run(shelf / "tiny")).isel(step=-1)
    labels = [str(token) for token in table["token"].values]
    item = [display(token) for token in labels].index(label)
    far = np.linalg.norm(table.values - table.values[item], axis=1)
    nearest = [label_name(labels[i]) for i in np.argsort(far)[1:6]]
    lines = tip.inner_text().split("\n")
    assert lines[0].strip() == label_name(labels[item])
    assert lines[-1].split(" · ") == nearest
    guest.shot("embeddings-tip")


def test_what_a_lasso_holds_is_highlighted_and_the_link_keeps_it(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    where = places(guest)
    _, (x, y) = free_item(guest)
    area = guest.page.locator(".scatter .area").bounding_box()
    assert area is not None
    left, right = max(area["x"] + 2, x - 130), min(area["x"] + area["width"] - 2, x + 130)
    top, bottom = max(area["y"] + 2, y - 130), min(area["y"] + area["height"] - 2, y + 130)
    expected = {name for name, (a, b) in where.items() if left < a < right and top < b < bottom}
    assert len(expected) > 1
    guest.page.keyboard.down("Shift")
    guest.page.mouse.move(left, top)
    guest.page.mouse.down()
    for corner in ((right, top), (right, bottom), (left, bottom), (left, top + 1)):
        guest.page.mouse.move(*corner, steps=4)
    guest.page.mouse.up()
    guest.page.keyboard.up("Shift")
    offer = guest.page.locator(".scatter .offer .accept")
    expect(offer).to_have_text(f"Highlight the {len(expected)} lassoed", use_inner_text=True)
    guest.shot("embeddings-lasso")
    offer.click()
    guest.page.wait_for_function("new URLSearchParams(location.search).has('group')")
    legend = guest.page.locator(".scatter .legend .entry").first.locator("span")
    expect(legend).to_have_attribute("title", re.compile(rf"\({len(expected)}\)"))
    again = guest.query()
    guest.open("embeddings", **again)
    expect(legend).to_have_attribute("title", re.compile(rf"\({len(expected)}\)"))


def test_a_lasso_of_nothing_says_so_and_asks_for_nothing(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    area = guest.page.locator(".scatter .area").bounding_box()
    assert area is not None
    guest.page.locator(".scatter .tools .lasso").click()
    guest.page.mouse.move(area["x"] + 3, area["y"] + 3)
    guest.page.mouse.down()
    for x, y in ((9, 3), (9, 9), (3, 9)):
        guest.page.mouse.move(area["x"] + x, area["y"] + y)
    guest.page.mouse.up()
    expect(guest.page.locator(".scatter .offer")).to_have_text("No point inside", use_inner_text=True)
    expect(guest.page.locator(".scatter .offer .accept")).to_be_hidden()


def test_a_click_lists_the_neighbours_and_a_click_on_one_of_them_goes_there(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    _, (x, y) = free_item(guest)
    guest.page.mouse.click(x, y)
    panel = guest.page.locator(".panel.neighbours")
    panel.wait_for()
    expect(panel.locator("li")).to_have_count(10)
    second = panel.locator("li .name").nth(1).inner_text()
    panel.locator("li button").nth(1).click()
    guest.page.locator(".panel.neighbours h3", has_text=f"Nearest to {second} in").wait_for()


@pytest.mark.slow
def test_the_view_is_kept_while_the_slider_moves_and_reset_on_request(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca", axes=3)
    area = guest.page.locator(".scatter .area").bounding_box()
    assert area is not None
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    home = places(guest)
    guest.page.mouse.move(x, y)
    guest.page.mouse.down()
    guest.page.mouse.move(x + 120, y + 40, steps=5)
    guest.page.mouse.up()
    guest.next_frame()
    turned = places(guest)
    assert turned != home
    guest.page.keyboard.press("ArrowLeft")
    guest.settle(step=40)
    assert places(guest) != turned  # the points moved
    guest.page.keyboard.press("ArrowRight")
    guest.settle(step=60)
    assert places(guest) == turned  # and the reader did not
    guest.shot("embeddings-3d")
    guest.page.locator(".scatter .tools .reset").click()
    guest.until(lambda: places(guest) == home)


def test_the_wheel_enlarges_about_the_pointer_and_a_drag_moves_the_picture(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    label, (x, y) = free_item(guest)
    before = places(guest)
    guest.page.mouse.move(x, y)
    guest.page.mouse.wheel(0, -400)
    guest.until(lambda: width(places(guest)) > 1.5 * width(before))
    after = places(guest)
    assert after[label] == pytest.approx((x, y), abs=1.5)  # a pointer stands on whole pixels
    guest.page.mouse.move(x + 40, y + 40)
    guest.page.mouse.down()
    guest.page.mouse.move(x + 70, y + 60, steps=6)
    guest.page.mouse.up()
    guest.next_frame()
    moved = places(guest)
    assert moved[label] == pytest.approx((x + 30, y + 20), abs=6)


def test_keys_go_from_point_to_point_and_a_search_finds_a_label(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    guest.page.locator(".scatter .area").focus()
    guest.page.keyboard.press("Shift+ArrowRight")
    tip = guest.page.locator(".scatter .tooltip")
    tip.wait_for()
    first = tip.inner_text().split("\n")[0]
    guest.page.keyboard.press("Shift+ArrowRight")
    guest.until(lambda: tip.inner_text().split("\n")[0] != first)
    assert guest.step() == 60  # the slider's own arrows are left alone
    guest.page.keyboard.press("/")
    guest.page.keyboard.type("b")
    guest.until(lambda: int(guest.page.locator(".scatter .count").inner_text() or 0) >= 1)
    guest.page.keyboard.press("Enter")
    guest.page.locator(".panel.neighbours h3", has_text="Nearest to b in").wait_for()
    guest.page.wait_for_function("new URLSearchParams(location.search).get('item') === 'b'")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_five_thousand_points_are_painted_and_move_with_the_slider(
    window: Callable[..., AbstractContextManager[Visit]], words: Run, theme: str
) -> None:
    with window(size=(1920, 1080), theme=theme) as guest:
        guest.open("embeddings", run="words", method="pca")
        guest.until(lambda: len(places(guest)) == 5000)
        last = painted(guest)
        guest.shot(f"embeddings-5000-{theme}")
        guest.page.keyboard.press("Home")
        guest.settle(step=0)
        assert painted(guest) != last


def test_everything_can_be_lassoed_and_what_is_too_much_to_name_is_said(guest: Visit, words: Run) -> None:
    guest.open("embeddings", run="words", method="pca")
    area = guest.page.locator(".scatter .area").bounding_box()
    assert area is not None
    corners: list[tuple[Any, Any]] = [
        (2, 2),
        (area["width"] - 2, 2),
        (area["width"] - 2, area["height"] - 2),
        (2, area["height"] - 2),
    ]
    guest.page.keyboard.press("Escape")
    guest.page.locator(".scatter .tools .lasso").click()
    guest.page.mouse.move(area["x"] + 2, area["y"] + 2)
    guest.page.mouse.down()
    for x, y in corners[1:]:
        guest.page.mouse.move(area["x"] + x, area["y"] + y, steps=3)
    guest.page.mouse.up()
    guest.page.locator(".scatter .offer .accept").click()
    guest.page.get_by_test_id("stToast").wait_for()
    expect(guest.page.get_by_test_id("stToast")).to_contain_text("too many to name")


@pytest.mark.slow
def test_back_leads_to_the_item_before_which_can_be_chosen_again(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    _, (x, y) = free_item(guest)
    title = guest.page.locator(".panel.neighbours h3")

    def shows(path: str, item: str | None) -> bool:
        """Say whether address and list are about an item, or about none."""
        address = urlsplit(guest.page.url)
        if address.path != path or parse_qs(address.query).get("run") != ["tiny"]:
            return False
        return ("item" in parse_qs(address.query)) == (item is not None) and title.all_inner_texts() == [item] * bool(
            item
        )

    def stands(path: str, item: str | None) -> None:
        guest.until(lambda: shows(path, item))
        guest.settle()

    def go_back(item: str | None) -> None:
        guest.page.go_back()
        stands("/embeddings", item)

    guest.page.mouse.click(x, y)
    title.wait_for()
    first = title.inner_text()
    stands("/embeddings", first)
    guest.page.locator(".panel.neighbours li button").first.click()
    guest.until(lambda: title.inner_text() != first)
    stands("/embeddings", title.inner_text())
    go_back(first)
    go_back(None)
    guest.page.mouse.click(x, y)  # it chooses, and does not let go what was chosen before
    stands("/embeddings", first)
    guest.page.get_by_role("link", name="Attention").click()
    stands("/attention", None)
    go_back(first)
    go_back(None)
    guest.page.mouse.click(x, y)
    stands("/embeddings", first)
