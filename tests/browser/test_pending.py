"""The line over a panel that waits for a computation, in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from data.runs import Run, create_run, write_snapshot
from data.tokens.tokenizers import WordList
from tests.browser.visit import Visit


@pytest.fixture
def slow(shelf: Path) -> Iterator[Run]:
    """A run whose layout by t-SNE is computed without asking, and takes several seconds."""
    labels = [f"w{i}" for i in range(1400)]
    info = {"parameters": 1400 * 8, "tokenizer": WordList(tuple(labels)).to_json(), "tensors": {"token_table": "table"}}
    run = create_run("slow", info, shelf)
    random = np.random.default_rng(0)
    for step in range(0, 1000, 100):
        write_snapshot(run, step, {"table": random.normal(size=(1400, 8)).astype(np.float32)})
    yield run
    shutil.rmtree(run.path, ignore_errors=True)


def test_what_is_there_stays_usable_while_a_layout_is_computed_which_can_be_cancelled(guest: Visit, slow: Run) -> None:
    guest.page.goto(f"{guest.address}/embeddings?run=slow&method=tsne")
    line = guest.page.locator(".panel.scatter .pending")
    expect(line.locator(".what")).to_have_text(re.compile("^Laying out snapshot"))
    expect(line.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"^\d+$"))
    title = guest.page.locator(".panel.scatter h3")
    expect(title).to_contain_text("by PCA")
    guest.slider.focus()
    guest.page.keyboard.press("Home")
    guest.page.locator('.player[data-step="0"]').wait_for()
    guest.shot("pending")
    expect(line).to_be_visible()
    line.get_by_role("button", name="Cancel").click()
    expect(line.get_by_role("button", name="Lay out")).to_be_visible()
    expect(title).to_contain_text("by PCA")
    assert guest.step() == 0  # the slider stays where it was
