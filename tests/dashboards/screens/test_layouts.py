"""While a layout is computed another one stays, with a line over it; a large table is laid out on request; both can be cancelled."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from dashboards.compute import queries
from dashboards.player import Events
from dashboards.views import layouts
from data.runs import Run
from tests.dashboards.screens.test_embeddings_page import points, vectors
from tests.dashboards.stages import Stage, open_screen, run_until
from viz.player.panels import Numbers, Pending
from viz.projection.projection_cache import cached_projection


class Gate:
    """Layouts that begin at once and go on when they may; meanwhile they report that one snapshot is done."""

    def __init__(self) -> None:
        self.is_open, self.begun = threading.Event(), list[str]()

    def project(self, run: Run, trajectory: Any, method: str, *, progress: Any = None, **options: Any) -> Any:
        self.begun.append(method)
        while progress is not None and not self.is_open.wait(0.01):
            progress(1)
        return cached_projection(run, trajectory, method, **options)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    found = Gate()
    monkeypatch.setattr(queries, "cached_projection", found.project)
    return found


def line(stage: Stage, panel: str = "points") -> Pending | None:
    return stage.panel(panel).pending


def test_until_a_layout_is_computed_pca_stays_under_a_line_that_says_so(stage: Stage, run: Run, gate: Gate) -> None:
    at = open_screen("embeddings", run="tiny", method="tsne")
    run_until(at, lambda: getattr(line(stage), "done", 0) != 0)
    assert "by PCA" in points(stage).title
    waiting = line(stage)
    assert waiting is not None
    n_steps = len(stage.scenes[-1].steps)
    assert waiting.text == f"Laying out snapshot 2 of {n_steps}"
    assert waiting.done == 1 / (2 * n_steps)  # every snapshot is laid out, and then measured
    assert waiting.cancel == "Cancel"
    gate.is_open.set()
    run_until(at, lambda: line(stage) is None)
    assert "by t-SNE" in points(stage).title


def test_the_layout_shown_before_stays_until_the_next_one_is_there(stage: Stage, run: Run, gate: Gate) -> None:
    gate.is_open.set()
    at = open_screen("embeddings", run="tiny", method="tsne")
    run_until(at, lambda: line(stage) is None)
    gate.is_open.clear()
    before = points(stage).layout
    at.segmented_control(key="axes_choice").set_value(3).run()
    assert line(stage) is not None
    assert "by t-SNE" in points(stage).title
    assert (points(stage).layout == before).all()
    gate.is_open.set()
    run_until(at, lambda: line(stage) is None)
    assert points(stage).layout.shape[2] == 3


def test_what_is_cancelled_is_offered_and_can_be_begun_again(stage: Stage, run: Run, gate: Gate) -> None:
    at = open_screen("embeddings", run="tiny", method="tsne")
    stage.once = [Events(), Events(cancelled="points")]
    at.run()
    offer = line(stage)
    assert offer is not None
    assert (offer.done, offer.cancel) == (None, "")
    assert offer.start.startswith("Lay out ")
    assert "by PCA" in points(stage).title
    at.run()
    assert line(stage) == offer  # a rerun does not begin it
    gate.is_open.set()
    stage.once = [Events(), Events(started="points")]
    at.run()
    run_until(at, lambda: line(stage) is None)
    assert "by t-SNE" in points(stage).title


def test_umap_says_that_its_first_use_takes_long(
    stage: Stage, run: Run, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "project", lambda *_, **__: gate.is_open.wait(30) and pytest.fail("not to be computed"))
    monkeypatch.setattr(queries, "cached_projection", gate.project)
    monkeypatch.setattr(layouts.umap, "is_imported", lambda: False)
    open_screen("embeddings", run="tiny", method="umap")
    waiting = line(stage)
    assert waiting is not None
    assert waiting.text.startswith("Preparing UMAP")
    assert waiting.done == 0


def test_a_large_table_is_shown_by_pca_and_laid_out_or_compared_on_request(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path))
    monkeypatch.setattr(layouts, "MANY_ITEMS", 20)
    vectors(tmp_path, [f"w{i}" for i in range(30)])
    for method, panel in (("tsne", "points"), ("pca", "fidelity")):
        at = open_screen("embeddings", run="words", method=method)
        assert "by PCA" in points(stage).title
        assert points(stage).trust is None
        fidelity = stage.panel("fidelity")
        assert isinstance(fidelity, Numbers)
        assert "not compared yet" in [one.name for one in fidelity.lines]
        offer = line(stage, panel)
        assert offer is not None
        assert "30 tokens" in offer.start
        stage.once = [Events(), Events(started=panel)]
        at.run()
        run_until(at, lambda panel=panel: line(stage, panel) is None)
        assert points(stage).trust is not None
