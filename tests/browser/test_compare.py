"""Runs beside each other in a real browser, under one slider, and their differences."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from data.runs import Run
from tests.browser.visit import Visit

VIEWS = ("embeddings", "attention", "heads", "text")


@pytest.fixture(scope="module")
def second(shelf: Path) -> Iterator[Run]:
    """A second run: a copy of the first that says that it is another, and lacks the last two snapshots."""
    path = shelf / "second"
    shutil.copytree(shelf / "tiny", path)
    info = dict(Run(path).info)
    (path / "run.json").write_text(json.dumps({**info, "name": "second", "created": "2020", "seed": 2}))
    lines = (path / "manifest.jsonl").read_text().splitlines(keepends=True)
    (path / "manifest.jsonl").write_text("".join(lines[:-2]))
    yield Run(path)
    shutil.rmtree(path, ignore_errors=True)


def picture(guest: Visit, panel: str) -> str:
    """Return a panel's pixels."""
    found: str = guest.player.locator(f'[data-panel="{panel}"] canvas').last.evaluate("c => c.toDataURL()")
    return found


@pytest.mark.sampled(2)
@pytest.mark.parametrize("view", VIEWS)
def test_each_view_stands_and_moves_with_the_slider(guest: Visit, second: Run, view: str) -> None:
    guest.open("compare", run="tiny", **{"with": "second"}, view=view, method="pca", prompt="bagulha")
    for side in ("run0", "run1"):
        guest.player.locator(f'[data-panel="{side}"] :is(canvas, pre)').first.wait_for()
    guest.settle()
    guest.shot(f"compare-{view}")
    assert guest.step() == 60
    panel = "loss" if view == "text" else "run0"
    before = picture(guest, panel)
    guest.player.get_by_role("slider").focus()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    assert picture(guest, panel) != before


def test_a_run_without_the_sliders_snapshot_says_which_it_shows(guest: Visit, second: Run) -> None:
    last = second.manifest()[-1]["step"]
    guest.open("compare", run="tiny", **{"with": "second"}, view="attention", prompt="bagulha")
    title = guest.player.locator('[data-panel="run1"] h3')
    expect(title).to_have_text(f"second · step {last}")
    expect(guest.player.locator('[data-panel="run0"] h3')).not_to_contain_text("step")
    guest.player.get_by_role("slider").focus()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    expect(title).to_have_text("second")


def test_a_head_chosen_in_one_is_shown_in_both(guest: Visit, second: Run) -> None:
    guest.open("compare", run="tiny", **{"with": "second"}, view="attention", prompt="bagulha")
    guest.player.locator('[data-panel="run0"]').get_by_role("combobox").select_option("layer 1, head 1")
    guest.page.wait_for_function("new URLSearchParams(location.search).get('layer') === '1'")
    for side in ("run0", "run1"):
        expect(guest.player.locator(f'[data-panel="{side}"]').get_by_role("button", name="All heads")).to_be_visible()


def test_pointing_at_the_losses_shows_those_of_all_runs_at_a_step(guest: Visit, second: Run) -> None:
    guest.open("compare", run="tiny", **{"with": "second"}, view="text")
    area = guest.player.locator('[data-panel="loss"] canvas')
    box = area.bounding_box()
    assert box
    guest.page.mouse.move(box["x"] + box["width"] - 14, box["y"] + box["height"] / 2)
    tooltip = guest.player.locator('[data-panel="loss"]').get_by_role("tooltip")
    expect(tooltip).to_contain_text("step 60")
    expect(tooltip).to_contain_text("tiny: ")
    expect(tooltip).to_contain_text("second: ")


def test_groups_are_named_once_and_brought_out_in_all_pictures(guest: Visit, second: Run) -> None:
    guest.open("compare", run="tiny", **{"with": "second"}, method="pca")
    guest.player.locator('[data-panel="run1"] canvas').wait_for()
    guest.settle()
    expect(guest.player.get_by_text("vowels", exact=True)).to_have_count(1)
    before = [picture(guest, panel) for panel in ("run0", "run1")]
    guest.player.get_by_text("vowels", exact=True).hover()
    guest.until(lambda: all(picture(guest, panel) != old for panel, old in zip(("run0", "run1"), before, strict=True)))


def test_an_item_whose_neighbours_differ_is_marked_in_both_pictures_and_kept_in_the_link(
    guest: Visit, second: Run
) -> None:
    address = {"with": "second", "view": "differences", "aspect": "distances", "method": "pca"}
    guest.open("compare", run="tiny", **address)
    rows = guest.player.locator('[data-panel="items"] tbody tr')
    rows.first.wait_for()
    guest.settle()
    guest.shot("compare-distances")
    before = [picture(guest, panel) for panel in ("one", "other")]
    rows.nth(1).get_by_role("button").click()
    guest.until(lambda: all(picture(guest, panel) != old for panel, old in zip(("one", "other"), before, strict=True)))
    guest.page.wait_for_function("new URLSearchParams(location.search).has('item')")
    guest.settle()
    expect(guest.player.locator('[data-panel="items"] tbody tr.now')).to_have_count(1)


@pytest.mark.slow
def test_the_grid_follows_from_the_window(window: Callable[..., AbstractContextManager[Visit]], second: Run) -> None:
    for size, columns in (((1366, 768), 2), ((390, 844), 1)):
        with window(size=size) as guest:
            guest.open("compare", run="tiny", **{"with": "second"}, method="pca")
            guest.player.locator('[data-panel="run1"] canvas').wait_for()
            lefts = {
                round(
                    guest.player.locator(f'[data-panel="run{place}"]').evaluate("e => e.getBoundingClientRect().left")
                )
                for place in range(2)
            }
            assert len(lefts) == columns
