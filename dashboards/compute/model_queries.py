"""What the page of the model at work asks of probes: one position's way through the model at all snapshots."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from dashboards.compute.computation import Computation
from dashboards.compute.queries import MOST_CELLS, set_threads
from dashboards.compute.result_cache import CachedResult
from data.progress import Progress
from data.runs import Run
from trainer.config import described_model
from viz.player.model_scene import MOST_BINS

TraceWithLens = tuple[xr.Dataset, xr.Dataset]
"""What the blocks do, and what the stream says after each."""

MOST_WORDS = 64
"""More words cannot be read one below the other."""
N_LEADERS, NUMBERS_PER_WEIGHT, NUMBERS_PER_LEADER = 10, 15, 15


def trace(
    computation: Computation, run: Run, prompt: str, position: int | None, progress: Progress | None = None
) -> CachedResult[TraceWithLens]:
    """Follow a position of a prompt through all snapshots."""
    return computation.live.get(
        run,
        ("trace", prompt, position),
        cache=computation.prompts,
        measure=partial(_measure, prompt=prompt, position=position),
        join=_join,
        progress=progress,
    )


def most_words(run: Run) -> int:
    """Compute the longest prompt whose numbers at all snapshots take at most as much room as `MOST_CELLS` cells of two bytes."""
    shape, n_snapshots = described_model(run), max(1, len(run.manifest()))
    bins = min(MOST_BINS, shape.n_embd) * (3 * shape.n_layer + 4)
    fixed = bins + N_LEADERS * NUMBERS_PER_LEADER * (shape.n_layer + 1)
    per_word = shape.n_layer * shape.n_head * NUMBERS_PER_WEIGHT
    room = MOST_CELLS / 2 / n_snapshots - fixed
    return int(np.clip(room / per_word, 2, MOST_WORDS))


def _measure(run: Run, progress: Progress | None, *, prompt: str, position: int | None) -> TraceWithLens:
    from probes.models.forward_trace import trace_with_lens

    set_threads(run)
    return trace_with_lens(run, prompt, position=position, progress=progress)


def _join(earlier: TraceWithLens, later: TraceWithLens) -> TraceWithLens:
    options: Any = {"join": "exact", "combine_attrs": "override", "coords": "minimal", "compat": "override"}
    blocks, lens = (xr.concat([old, new], dim="step", **options) for old, new in zip(earlier, later, strict=True))
    return blocks, lens
