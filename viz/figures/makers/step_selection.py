"""The step at which a figure shows what was measured."""

from __future__ import annotations

from typing import Any

from data.errors import InputError
from data.runs import Run
from viz.request import FigureRequest


def until_step(run: Run, measured: Any, request: FigureRequest) -> Any:
    """Select the steps up to the one chosen.

    Raises
    ------
    InputError
        If the run has no snapshot of that step, or a damaged one.
    """
    if request.step is None:
        return measured
    if request.step not in measured["step"].values:
        run.snapshot(request.step)  # raises where there is none; the message lists the steps
        raise InputError(f"the snapshot of step {request.step} of run {run.name!r} is damaged: choose another `step`")
    return measured.sel(step=slice(None, request.step))
