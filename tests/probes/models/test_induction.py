"""The induction score of a model that learned to copy: the benchmark's own, trained longer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from probes.models.heads import copying, head_scores
from tests.commands import ROOT


@pytest.mark.slow
def test_the_head_that_scores_is_the_head_that_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    induction = __import__("induction")
    run = induction.trained_to_copy(tmp_path / "repeats.txt", "copying", steps=2500)
    sys.modules.pop("induction")
    scores, losses = head_scores(run)["induction"], copying(run)
    first, last = scores.isel(step=0), scores.isel(step=-1)
    best = last.argmax(("layer", "head"))
    assert float(first.max()) < 2 * scores.attrs["uniform"]
    assert float(last.max()) > 0.5
    assert int(best["layer"]) == 1  # it needs a layer below it, which tells each token what stood before it
    copied, elsewhere = float(losses["loss"][-1]), float(losses["loss_before"][-1])
    without = losses["loss_without"].isel(step=-1)
    assert copied < 0.4 * elsewhere
    assert float(without.isel(best)) - copied > 1.5  # nats: the copying is gone
    assert float(without.isel(layer=1, head=1 - int(best["head"]))) - copied < 0.5
