"""The page shows a run, follows its slider, and says what to do where there is nothing to show."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.__main__ import APP
from data.runs import Run

pytest.importorskip("streamlit", reason="streamlit is not installed")

from streamlit.testing.v1 import AppTest


def page() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=120)


def test_without_a_run_the_page_says_how_to_train_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "none"))
    at = page().run()
    assert not at.exception
    assert "python -m trainer --preset cpu" in at.code[0].value


def test_the_slider_moves_layout_loss_and_sample_together(run: Run) -> None:
    at = page().run()
    assert not at.exception
    assert at.metric[0].value == f"{run.info['parameters']:,}"
    texts = {record["step"]: record["text"] for record in run.samples()}
    assert at.code[0].value == texts[60]
    before = at.get("plotly_chart")[0].proto.spec
    at.select_slider[0].set_value(0).run()
    assert not at.exception
    assert at.code[0].value == texts[0]
    assert at.get("plotly_chart")[0].proto.spec != before
