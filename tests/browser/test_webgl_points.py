"""Tens of thousands of points: drawn by the graphics card where there is one, by the canvas otherwise, and everything else goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from data.runs import Run, create_run, write_snapshot
from data.tokens.tokenizers import WordList
from tests.browser.test_embeddings import places
from tests.browser.test_film_colors import SHADER
from tests.browser.visit import FLAGS, Visit, chromium, visit

N = 20_000


@pytest.fixture
def crowd(shelf: Path) -> Iterator[Run]:
    """A run of twenty thousand words in three snapshots, one of which lies apart from all others."""
    labels = [f"word{i}" for i in range(N)]
    info = {"parameters": N * 4, "tokenizer": WordList(tuple(labels)).to_json(), "tensors": {"token_table": "table"}}
    run = create_run("crowd", info, shelf)
    table = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    table[7, :2] = 12
    for step in range(3):
        write_snapshot(run, 100 * step, {"table": table * (1 + step / 3)})
    yield run
    shutil.rmtree(run.path)


def check(guest: Visit) -> None:
    """Look at the points, point at one, find one, and move the slider."""
    guest.open("embeddings", run="crowd", method="pca")
    where = places(guest)
    assert len(where) == N
    area = guest.page.locator(".scatter .area")
    x, y = where["word7"]
    guest.page.mouse.move(x, y)
    tip = guest.page.locator(".scatter .tooltip")
    tip.wait_for()
    guest.until(lambda: tip.inner_text().split("\n")[0].strip() == "word7")
    search = guest.page.locator(".scatter .search")
    search.fill("word19999")
    search.press("Enter")
    guest.page.locator(".panel.neighbours h3", has_text="Nearest to word19999 in").wait_for()
    guest.settle()
    guest.page.keyboard.press("Escape")
    last = area.screenshot()
    guest.slider.focus()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    assert area.screenshot() != last


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "n_layers"),
    [pytest.param(("--disable-3d-apis",), 0, marks=pytest.mark.slow), (SHADER, 1)],
    ids=["canvas", "webgl"],
)
def test_they_are_drawn_with_a_graphics_card_and_without(
    browser: Browser, address: str, shots: Path, crowd: Run, flags: tuple[str, ...], n_layers: int
) -> None:
    usual = [flag for flag in FLAGS if flag != "--disable-gpu"]
    other = browser.browser_type.launch(executable_path=chromium(), args=[*usual, *flags])
    try:
        with visit(other, address, shots) as guest:
            check(guest)
            assert guest.page.locator(".scatter .area canvas.webgl").count() == n_layers
            guest.shot(f"crowd-{n_layers}")
    finally:
        other.close()
