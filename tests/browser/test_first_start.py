"""In a new home the command says one line, and a visit to its first page adds none."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.visit import visit
from tests.dashboards.started import started


def test_a_visit_in_a_new_home_adds_nothing_to_the_one_line(
    browser: Browser, shelf: Path, tmp_path: Path, shots: Path
) -> None:
    shutil.copytree(shelf / "tiny", tmp_path / "runs" / "tiny")
    with started(tmp_path, "--no-open-browser") as it:
        it.until("\n")
        with visit(browser, f"http://127.0.0.1:{it.port}", shots) as guest:
            guest.open("embeddings", run="tiny")
            assert guest.step() == 60
        it.process.send_signal(signal.SIGTERM)
        assert it.rest() == it.line
    assert not (tmp_path / ".streamlit").exists()
