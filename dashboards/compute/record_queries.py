"""What a run recorded during training, cached in a `Computation` until it changes. The first page needs no more, so this imports little."""

from __future__ import annotations

from typing import Any

from dashboards.compute.computation import Computation
from dashboards.state.run_list import stamp
from data.runs import Run


def samples(computation: Computation, run: Run) -> list[dict[str, Any]]:
    """Read the texts that were sampled during training."""
    return computation.results.get(("samples", run.path), run.samples, stamp(run)).value


def metrics(computation: Computation, run: Run) -> list[dict[str, Any]]:
    """Read the metrics that were measured during training."""
    return computation.results.get(("metrics", run.path), run.metrics, stamp(run)).value
