"""Two runs side by side in a real browser, under one slider."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
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
    info = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**info, "name": "second", "created": "2020", "seed": 2}))
    lines = (path / "manifest.jsonl").read_text().splitlines(keepends=True)
    (path / "manifest.jsonl").write_text("".join(lines[:-2]))
    yield Run(path)
    shutil.rmtree(path, ignore_errors=True)


def picture(guest: Visit, panel: str) -> str:
    """Return a panel's pixels."""
    found: str = guest.player.locator(f'[data-panel="{panel}"] canvas').last.evaluate("c => c.toDataURL()")
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_stands_and_moves_with_the_slider(guest: Visit, second: Run, view: str) -> None:
    guest.open("compare", run="tiny", **{"with": "second"}, view=view, method="pca", prompt="bagulha")
    for side in ("left", "right"):
        guest.player.locator(f'[data-panel="{side}"] :is(canvas, pre)').first.wait_for()
    guest.settle()
    guest.shot(f"compare-{view}")
    assert guest.step() == 60
    panel = "loss" if view == "text" else "left"
    before = picture(guest, panel)
    guest.player.get_by_role("slider").focus()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    assert picture(guest, panel) != before


def test_a_run_without_the_sliders_snapshot_says_which_it_shows(guest: Visit, second: Run) -> None:
    last = second.manifest()[-1]["step"]
    guest.open("compare", run="tiny", **{"with": "second"}, view="attention", prompt="bagulha")
    title = guest.player.locator('[data-panel="right"] h3')
    expect(title).to_have_text(f"second · step {last}")
    expect(guest.player.locator('[data-panel="left"] h3')).not_to_contain_text("step")
    guest.player.get_by_role("slider").focus()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    expect(title).to_have_text("second")


def test_a_head_chosen_in_one_is_shown_in_both(guest: Visit, second: Run) -> None:
    guest.open("compare", run="tiny", **{"with": "second"}, view="attention", prompt="bagulha")
    guest.player.locator('[data-panel="left"]').get_by_role("combobox").select_option("layer 1, head 1")
    guest.page.wait_for_function("new URLSearchParams(location.search).get('layer') === '1'")
    for side in ("left", "right"):
        expect(guest.player.locator(f'[data-panel="{side}"]').get_by_role("button", name="All heads")).to_be_visible()
